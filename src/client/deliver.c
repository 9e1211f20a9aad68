/*-------------------------------------------------------------------------
 *
 * deliver.c
 *		A message on its way to a command, a webhook or a mailbox.
 *
 *-------------------------------------------------------------------------
 */
#include "deliver.h"

#include <curl/curl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "digest.h"
#include "process.h"

/* What of an answer is kept, to tell why it was no */
#define ANSWER_LIMIT	500

/* Bodies ------------------------------------------------------------------ */

static json_t *
slack_body(const Message *message)
{
	return json_pack("{s:s}", "text", message->summary);
}

/* An adaptive card, as a workflow's webhook takes it */
static json_t *
teams_body(const Message *message)
{
	return json_pack("{s:s, s:[{s:s, s:{s:s, s:s, s:[{s:s, s:s, s:b}]}}]}",
					 "type", "message", "attachments",
					 "contentType", "application/vnd.microsoft.card.adaptive",
					 "content", "type", "AdaptiveCard", "version", "1.4",
					 "body", "type", "TextBlock", "text", message->summary,
					 "wrap", 1);
}

/* Version 2 of the events API */
static json_t *
pagerduty_body(const Message *message, const Destination *destination)
{
	json_t	   *body = json_pack("{s:s, s:s, s:s, s:{s:s, s:s, s:s}}",
								 "routing_key", destination->routing_key == NULL ? "" :
								 destination->routing_key,
								 "event_action", message->action,
								 "dedup_key", message->topic,
								 "payload", "summary", message->summary,
								 "source", "mlmeta",
								 "severity", message->severity);

	if (body != NULL)
		json_object_set(json_object_get(body, "payload"), "custom_details",
						message->content);
	return body;
}

/* The message as the destination takes it; the caller frees it. */
char *
message_body(const Message *message, const Destination *destination)
{
	json_t	   *body = NULL;
	char	   *text;

	switch (destination->format)
	{
		case FORMAT_JSON:
			body = json_incref(message->content);
			break;
		case FORMAT_SLACK:
			body = slack_body(message);
			break;
		case FORMAT_TEAMS:
			body = teams_body(message);
			break;
		case FORMAT_PAGERDUTY:
			body = pagerduty_body(message, destination);
			break;
	}
	if (destination->kind == TO_MAIL)
	{
		char	   *details = json_dumps(message->content, JSON_INDENT(2));

		text = psprintf("%s\n\n%s\n", message->summary, details);
		free(details);
	}
	else
		text = dump_json(body);
	json_decref(body);
	return text;
}

/* The destination in a few words; the caller frees them. */
char *
destination_text(const Destination *destination)
{
	static const char *const kinds[] = {"command", "webhook", "mail"};

	return psprintf("%s %s", kinds[destination->kind], destination->where);
}

/* Commands and mail ------------------------------------------------------- */

static DeliveryResult
deliver_to_program(char *const *arguments, char *const *environment,
				   const char *input, long timeout, char **problem)
{
	Process		process = {
		.arguments = arguments,
		.environment = environment,
		.input = input,
		.input_size = strlen(input),
		.timeout = timeout,
		.show_errors = true,
	};
	bool		good = run_process(&process);

	if (!good && process.cut)
		*problem = psprintf("it took longer than %ld seconds", timeout);
	else if (!good)
		*problem = WIFEXITED(process.status) ?
			psprintf("it ended with code %d", WEXITSTATUS(process.status)) :
			pg_strdup("it was ended by a signal");
	free_process(&process);
	return good ? DELIVERED : DELIVER_LATER;
}

static DeliveryResult
deliver_to_command(const Destination *destination, const char *id,
				   const char *type, const char *body, char **problem)
{
	char	   *arguments[] = {"sh", "-c",
	unconstify(char *, destination->where), NULL};
	char	   *environment[] = {psprintf("MLMETA_EVENT=%s", id),
	psprintf("MLMETA_EVENT_TYPE=%s", type), NULL};

	return deliver_to_program(arguments, environment, body,
							  destination->timeout, problem);
}

static DeliveryResult
deliver_to_mail(const Destination *destination, const char *id,
				const char *subject, const char *body, char **problem)
{
	static const char *const places[] = {"/usr/sbin/sendmail",
	"/usr/lib/sendmail"};
	const char *sendmail = getenv("MLMETA_SENDMAIL");
	PQExpBufferData mail;
	DeliveryResult result;

	for (int i = 0; sendmail == NULL && i < lengthof(places); i++)
	{
		if (access(places[i], X_OK) == 0)
			sendmail = places[i];
	}
	if (sendmail == NULL)
	{
		*problem = pg_strdup("there is no sendmail");
		return DELIVER_LATER;
	}
	initPQExpBuffer(&mail);
	appendPQExpBuffer(&mail, "To: %s\nSubject: ", destination->where);
	/* A header is one line, and a long one is cut */
	for (const char *c = subject; *c != '\0' && mail.len < 700; c++)
		appendPQExpBufferChar(&mail, (unsigned char) *c < 0x20 ? ' ' : *c);
	appendPQExpBuffer(&mail,
					  "\nMIME-Version: 1.0\nContent-Type: text/plain; "
					  "charset=utf-8\n"
					  "Content-Transfer-Encoding: 8bit\nX-Mlmeta-Event: "
					  "%s\n\n%s",
					  id, body);
	{
		char	   *arguments[] = {unconstify(char *, sendmail), "-i", "-t",
		NULL};

		result = deliver_to_program(arguments, NULL, mail.data,
									destination->timeout, problem);
	}
	termPQExpBuffer(&mail);
	return result;
}

/* Webhooks ---------------------------------------------------------------- */

static size_t
keep_answer(char *data, size_t size, size_t n, void *argument)
{
	PQExpBuffer answer = argument;

	if (answer->len < ANSWER_LIMIT)
		appendBinaryPQExpBuffer(answer, data,
								Min(size * n, ANSWER_LIMIT - answer->len));
	return size * n;
}

static DeliveryResult
judge_answer(CURL *curl, CURLcode code, const PQExpBufferData *answer,
			 const char *error, char **problem, double *retry_after)
{
	long		status = 0;
	char	   *clean;

	if (code != CURLE_OK)
	{
		*problem = pg_strdup(*error != '\0' ? error : curl_easy_strerror(code));
		return code == CURLE_URL_MALFORMAT
			|| code == CURLE_UNSUPPORTED_PROTOCOL ? DELIVER_NEVER :
			DELIVER_LATER;
	}
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && status < 300)
		return DELIVERED;
#if LIBCURL_VERSION_NUM >= 0x074200
	{
		curl_off_t	seconds = 0;

		if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK)
			*retry_after = (double) seconds;
	}
#endif
	clean = make_utf8(answer->data, answer->len);
	*problem = psprintf("HTTP status %ld%s%s", status, *clean == '\0' ? "" :
						": ", clean);
	free(clean);
	/* What the client did wrong it would do wrong again, but for three */
	return status >= 400 && status < 500 && status != 408 && status != 425
		&& status != 429 ? DELIVER_NEVER : DELIVER_LATER;
}

static struct curl_slist *
make_headers(const Destination *destination, const char *id,
			 const char *type, const char *body)
{
	struct curl_slist *headers = NULL;
	char	   *line;

	headers = curl_slist_append(headers, "Content-Type: application/json");
	line = psprintf("X-Mlmeta-Event: %s", type);
	headers = curl_slist_append(headers, line);
	pg_free(line);
	line = psprintf("X-Mlmeta-Delivery: %s", id);
	headers = curl_slist_append(headers, line);
	pg_free(line);
	if (destination->secret != NULL)
	{
		char		signature[DIGEST_TEXT_SIZE];

		sign_text(destination->secret, body, strlen(body), signature);
		line = psprintf("X-Mlmeta-Signature: sha256=%s", signature);
		headers = curl_slist_append(headers, line);
		pg_free(line);
	}
	return headers;
}

static DeliveryResult
deliver_to_webhook(const Destination *destination, const char *id,
				   const char *type, const char *body, char **problem,
				   double *retry_after)
{
	CURL	   *curl = curl_easy_init();
	char		error[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers = make_headers(destination, id, type, body);
	PQExpBufferData answer;
	DeliveryResult result;
	CURLcode	code;

	if (curl == NULL)
		pg_fatal("out of memory");
	initPQExpBuffer(&answer);
	curl_easy_setopt(curl, CURLOPT_URL, destination->where);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS,
					 (long) (CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long) strlen(body));
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "mlmeta/" MLMETA_VERSION);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, Min(destination->timeout, 10));
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, destination->timeout);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
	code = curl_easy_perform(curl);
	result = judge_answer(curl, code, &answer, error, problem, retry_after);
	termPQExpBuffer(&answer);
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return result;
}

DeliveryResult
deliver_once(const Destination *destination, const char *id,
			 const char *type, const char *subject, const char *body,
			 char **problem, double *retry_after)
{
	*problem = NULL;
	*retry_after = 0;
	switch (destination->kind)
	{
		case TO_COMMAND:
			return deliver_to_command(destination, id, type, body, problem);
		case TO_MAIL:
			return deliver_to_mail(destination, id, subject, body, problem);
		case TO_WEBHOOK:
			break;
	}
	return deliver_to_webhook(destination, id, type, body, problem,
							  retry_after);
}
