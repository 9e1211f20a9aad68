/*-------------------------------------------------------------------------
 *
 * environment.h
 *		What a command runs in: host, packages, lock files, variables.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_ENVIRONMENT_H
#define MLMETA_ENVIRONMENT_H

#include "client.h"

/*
 * A new JSON object. Packages are looked for where the command's language
 * keeps them, lock files in toplevel (may be NULL) and here. variables are
 * names of variables to record beside the usual ones, ending with NULL.
 */
extern json_t *describe_environment(char *const *command,
									const char *toplevel,
									const char *const *variables);

#endif							/* MLMETA_ENVIRONMENT_H */
