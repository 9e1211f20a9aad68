/*-------------------------------------------------------------------------
 *
 * deliver.h
 *		A message on its way to a command, a webhook or a mailbox.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_DELIVER_H
#define MLMETA_DELIVER_H

#include "client.h"

typedef enum MessageFormat
{
	FORMAT_JSON,
	FORMAT_SLACK,
	FORMAT_TEAMS,
	FORMAT_PAGERDUTY
} MessageFormat;

/* What happened, in our own words */
typedef struct Message
{
	char	   *id;				/* the same at each delivery */
	const char *type;			/* "alert" or "registry" */
	json_t	   *content;		/* everything */
	char	   *summary;		/* one sentence */
	const char *severity;		/* critical, warning or info */
	const char *action;			/* trigger, acknowledge or resolve */
	char	   *topic;			/* what messages about one thing share */
} Message;

typedef enum DestinationKind
{
	TO_COMMAND,
	TO_WEBHOOK,
	TO_MAIL
} DestinationKind;

typedef struct Destination
{
	DestinationKind kind;
	const char *where;			/* command, URL or address */
	MessageFormat format;
	const char *secret;			/* signs bodies; may be NULL */
	const char *routing_key;	/* PagerDuty's */
	long		timeout;		/* seconds */
} Destination;

typedef enum DeliveryResult
{
	DELIVERED,
	DELIVER_LATER,
	DELIVER_NEVER				/* the other side says that it is no use */
} DeliveryResult;

extern char *message_body(const Message *message,
						  const Destination *destination);
extern char *destination_text(const Destination *destination);

/*
 * Try once. On failure problem says why (the caller frees it), and
 * retry_after what the other side asks for, in seconds, or 0.
 */
extern DeliveryResult deliver_once(const Destination *destination,
								   const char *id, const char *type,
								   const char *subject, const char *body,
								   char **problem, double *retry_after);

#endif							/* MLMETA_DELIVER_H */
