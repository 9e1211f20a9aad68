/*-------------------------------------------------------------------------
 *
 * door.h
 *		Who is acting: what other C of this folder may ask of the door.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_DOOR_H
#define MLMETA_DOOR_H

/* The owner of the extension's schemas, read anew at each call */
extern Oid	extension_owner(void);

/*
 * The role whose rights count now: while a door is open that of who came
 * through it, otherwise the current user.
 */
extern Oid	acting_role(void);

/* Does the role have all rights of the extension's owner? */
extern bool is_owner(Oid role);

/* Raises 42501 unless the current user is the extension's owner */
extern void require_owner(void);

/*
 * The search_path of who came through the door, to read what he wrote; the
 * session's where no door is open.
 */
extern const char *acting_search_path(void);

/*
 * While somebody's own SQL runs, the door is shut: functions that ask who acts
 * are told the current user. shut_door() returns what reopen_door() takes.
 */
extern void *shut_door(void);
extern void reopen_door(void *frame);

#endif							/* MLMETA_DOOR_H */
