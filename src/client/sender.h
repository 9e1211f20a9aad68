/*-------------------------------------------------------------------------
 *
 * sender.h
 *		From the spool to the server, in order and exactly once.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_SENDER_H
#define MLMETA_SENDER_H

#include <pthread.h>

#include "spool.h"

typedef enum SendResult
{
	SENT_ALL,					/* nothing of the run waits any more */
	SENT_SOME,					/* call again */
	SEND_LATER,					/* the server is away, or busy */
	SEND_STUCK					/* somebody has to mend something first */
} SendResult;

/* One sender's state */
typedef struct Sender
{
	const Target *target;
	Spool	   *spool;
	char		run[RUN_TEXT_SIZE];
	bool		owns_run;		/* the run was begun by this process */
	bool		adopt;			/* whoever the spool belonged to */
	PGconn	   *connection;
	Features	features;
	char	   *problem;		/* why it does not go on; NULL: it does */
	bool		told;			/* what becomes of facts meanwhile */
	int64		n_sent;
	int64		n_refused;
	/* the thread of sender_start() */
	pthread_t	thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool		stop;
	bool		done;
	bool		delivered;
	bool		heartbeats;
} Sender;

extern void sender_init(Sender *sender, const Target *target, Spool *spool,
						const char *run);
extern SendResult send_facts(Sender *sender);
extern void sender_close(Sender *sender);

extern Sender *sender_start(const Target *target, const Spool *spool,
							const char *run, bool owns_run, bool heartbeats);
extern void sender_wake(Sender *sender);
extern bool sender_finish(Sender *sender, double seconds);

#endif							/* MLMETA_SENDER_H */
