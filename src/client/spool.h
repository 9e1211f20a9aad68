/*-------------------------------------------------------------------------
 *
 * spool.h
 *		Facts on their way to a server, kept on disk until it has them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_SPOOL_H
#define MLMETA_SPOOL_H

#include "connection.h"

/* What kinds of facts there are, as the spool names them */
#define FACT_START		"start"
#define FACT_SOURCE		"source"
#define FACT_POINTS		"points"
#define FACT_PARAMS		"params"
#define FACT_TAGS		"tags"
#define FACT_ARTIFACT	"artifact"
#define FACT_FINISH		"finish"

typedef struct Fact
{
	int64		place;			/* in the spool; the order of facts */
	bool		in_memory;		/* the disk would not have it */
	char		run[RUN_TEXT_SIZE];
	char		batch[UUID_TEXT_SIZE];
	char		kind[16];
	char	   *body;			/* JSON */
} Fact;

typedef struct Spool Spool;

extern char *spool_directory(void);
extern Spool *spool_open(const char *path, const Target *target, char **problem);
extern Spool *spool_open_target(const Target *target);
extern Spool *spool_open_reader(const Spool *spool);
extern void spool_close(Spool *spool);

extern bool spool_is_lasting(const Spool *spool);
extern const char *spool_path(const Spool *spool);
extern char *spool_value(Spool *spool, const char *key);
extern void spool_set_value(Spool *spool, const char *key, const char *value);

extern bool spool_append(Spool *spool, const char *run, const char *kind,
						 const json_t *body);
extern int	spool_read(Spool *spool, const char *run, int n, Fact *facts);
extern void spool_remove(Spool *spool, const Fact *facts, int n);
extern void spool_refuse(Spool *spool, const Fact *fact, const char *sqlstate,
						 const char *message);
extern int64 spool_count(Spool *spool, const char *run);
extern int64 spool_refused(Spool *spool);
extern int	spool_retry_refused(Spool *spool);
extern int	spool_runs(Spool *spool, char ***runs);
extern bool spool_lock(Spool *spool, const char *run);
extern void spool_unlock(Spool *spool);

/* Letters that could not be delivered, see command_deliver.c */
extern bool spool_bury(Spool *spool, const char *where, const char *body,
					   const char *problem);
extern json_t *spool_dead_letters(Spool *spool);
extern void spool_forget_letter(Spool *spool, int64 number);

#endif							/* MLMETA_SPOOL_H */
