/*-------------------------------------------------------------------------
 *
 * access.h
 *		Principals: the roles that own things, whatever they are called.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_ACCESS_H
#define MLMETA_ACCESS_H

/* The role of a principal; invalid where it is nobody now */
extern Oid	role_of_principal(int64 principal);

/* What it was called when it was made, palloc'ed; NULL for an unknown one */
extern char *name_of_principal(int64 principal);

#endif							/* MLMETA_ACCESS_H */
