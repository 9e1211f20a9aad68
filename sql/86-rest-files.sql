-- MLflow: files. The gateway keeps the bytes; what they are called is here.

-- Whose file a path of the artifact server is: E/R/artifacts/PATH of a run,
-- E/models/M/artifacts/PATH of a logged model; nothing else is kept.
CREATE FUNCTION mlmeta_internal.rest_file_owner(
	path text,
	OUT run text,
	OUT logged_model text,
	OUT file text
) RETURNS record
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	parts text[] := regexp_match(btrim(path, '/'),
		'^(?:.*?/)?(?:([0-9a-f]{32})|models/(m-[^/]+))/artifacts(?:/(.*))?$');
BEGIN
	run := parts[1];
	logged_model := parts[2];
	file := coalesce(parts[3], '');
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_file_owner(text) IS
	'the run or the logged model that a path of the artifact server belongs to, and the path below it';

CREATE FUNCTION mlmeta_internal.rest_media_type(path text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce((
	SELECT t.media_type
	FROM (VALUES
		('text/plain', ARRAY['txt', 'log', 'err', 'cfg', 'conf', 'cnf', 'ini',
			'properties', 'prop', 'hocon', 'jsonnet', 'py', 'js', 'ts', 'yaml', 'yml',
			'xml', 'json', 'csv', 'tsv', 'md', 'rst', 'mlmodel', 'mlproject']),
		('text/html', ARRAY['html', 'htm']), ('image/png', ARRAY['png']),
		('image/jpeg', ARRAY['jpg', 'jpeg']), ('image/gif', ARRAY['gif']),
		('image/svg+xml', ARRAY['svg']), ('image/webp', ARRAY['webp']),
		('application/pdf', ARRAY['pdf']), ('application/zip', ARRAY['zip']),
		('application/gzip', ARRAY['gz', 'tgz']), ('video/mp4', ARRAY['mp4']),
		('audio/x-wav', ARRAY['wav']), ('audio/mpeg', ARRAY['mp3'])
	) AS t (media_type, endings)
	WHERE pg_catalog.lower(pg_catalog.regexp_replace(path, '^.*[./]', ''))
		= ANY (t.endings)
), 'application/octet-stream');

COMMENT ON FUNCTION mlmeta_internal.rest_media_type(text) IS
	'the media type of a file by the ending of its name, as MLflow sees it';

CREATE FUNCTION mlmeta_internal.rest_url_text(content text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
	SELECT coalesce(pg_catalog.string_agg(CASE
		WHEN pg_catalog.chr(b.byte) COLLATE "C" ~ '[A-Za-z0-9._-]' AND b.byte < 128
			THEN pg_catalog.chr(b.byte)
		ELSE '%' || pg_catalog.upper(pg_catalog.lpad(pg_catalog.to_hex(b.byte), 2, '0'))
		END, '' ORDER BY b.n), '')
	FROM (
		SELECT g.n, pg_catalog.get_byte(c.bytes, g.n) AS byte
		FROM (SELECT pg_catalog.convert_to(content, 'UTF8') AS bytes) AS c
			CROSS JOIN LATERAL pg_catalog.generate_series(0,
				pg_catalog.octet_length(c.bytes) - 1) AS g (n)
	) AS b
);

COMMENT ON FUNCTION mlmeta_internal.rest_url_text(text) IS
	'a text in which all but letters, digits, . _ and - is percent-encoded';

CREATE FUNCTION mlmeta_internal.rest_file_reply(path text, sha256 text)
RETURNS mlmeta_internal.http_reply
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text := regexp_replace(path, '^.*/', '');
BEGIN
	RETURN ROW(200, jsonb_build_object('x-mlmeta-file', sha256,
		'content-type', mlmeta_internal.rest_media_type(name),
		'content-disposition', CASE WHEN name COLLATE "C" ~ '^[A-Za-z0-9 ._+-]+$'
			THEN format('attachment; filename="%s"', name)
			ELSE 'attachment; filename*=UTF-8''''' || mlmeta_internal.rest_url_text(name)
			END), ''::bytea)::mlmeta_internal.http_reply;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_file_reply(text, text) IS
	'the reply for which the gateway sends an object of its store under that name';

-- Files by owner: what a reader may see of it is what he sees of the owner.
CREATE FUNCTION mlmeta_internal.rest_files(run mlmeta.run, logged_model text)
RETURNS TABLE (path text, size bigint, sha256 text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 20
BEGIN ATOMIC
	SELECT f.path, f.size, f.sha256
	FROM mlmeta.run_files AS f
	WHERE f.run OPERATOR(mlmeta.=) rest_files.run
	UNION ALL
	SELECT m.path, m.size, m.sha256
	FROM mlmeta.logged_model_files AS m
	WHERE m.logged_model = rest_files.logged_model;
END;

COMMENT ON FUNCTION mlmeta_internal.rest_files(mlmeta.run, text) IS
	'the files of a run, or of a logged model';

CREATE FUNCTION mlmeta_internal.rest_list(
	run mlmeta.run,
	logged_model text,
	folder text,
	above text DEFAULT ''
) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	start text := CASE WHEN folder = '' THEN '' ELSE folder || '/' END;
BEGIN
	RETURN (
		SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
			'path', above || e.name, 'is_dir', e.is_dir,
			'file_size', CASE WHEN NOT e.is_dir THEN nullif(e.size, 0) END)) ORDER BY e.name)
		FROM (
			SELECT split_part(substr(f.path, length(start) + 1), '/', 1) AS name,
				bool_or(strpos(substr(f.path, length(start) + 1), '/') > 0) AS is_dir,
				max(f.size) AS size
			FROM mlmeta_internal.rest_files(run, logged_model) AS f
			WHERE starts_with(f.path, start)
			GROUP BY 1
		) AS e
	);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_list(mlmeta.run, text, text, text) IS
	'what lies in a folder of a run or a logged model, as MLflow lists it; NULL for nothing';

CREATE FUNCTION mlmeta_internal.rest_check_folder(folder text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF folder <> '' AND NOT mlmeta_internal.is_path(btrim(folder, '/')) THEN
		RAISE EXCEPTION 'Invalid path: ''%''', left(folder, 200)
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN btrim(coalesce(folder, ''), '/');
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_check_folder(text) IS
	'a path of a request, which must not lead out of where it begins';

CREATE FUNCTION mlmeta_internal.rest_list_files(request jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner record := mlmeta_internal.rest_file_owner(mlmeta_internal.rest_check_folder(
		coalesce(mlmeta_internal.arg_text(request, 'path'), '')));
BEGIN
	RETURN jsonb_strip_nulls(jsonb_build_object('files', mlmeta_internal.rest_list(
		owner.run::mlmeta.run, owner.logged_model, owner.file)));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_list_files(jsonb) IS
	'GET mlflow-artifacts/artifacts';

CREATE FUNCTION mlmeta_internal.rest_list_run_files(request jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	run mlmeta.runs := mlmeta_internal.rest_run_of(request, false);
	folder text := mlmeta_internal.rest_check_folder(
		coalesce(mlmeta_internal.arg_text(request, 'path'), ''));
BEGIN
	RETURN jsonb_strip_nulls(jsonb_build_object(
		'root_uri', mlmeta_internal.rest_run_info(run) -> 'artifact_uri',
		'files', mlmeta_internal.rest_list(run.run, NULL, folder,
			CASE WHEN folder = '' THEN '' ELSE folder || '/' END)));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_list_run_files(jsonb) IS
	'GET artifacts/list';

CREATE FUNCTION mlmeta_internal.rest_purpose(request jsonb, what text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.left(pg_catalog.regexp_replace(pg_catalog.concat('mlflow: ', what, ' by ',
	coalesce(request ->> '$agent', 'nobody in particular')), '[[:cntrl:]]', ' ', 'g'), 250);

COMMENT ON FUNCTION mlmeta_internal.rest_purpose(jsonb, text) IS
	'why a version is resolved, for the record';

CREATE FUNCTION mlmeta_internal.rest_send_file(
	request jsonb,
	run mlmeta.run,
	logged_model text,
	path text
) RETURNS mlmeta_internal.http_reply
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	file record;
BEGIN
	SELECT f.path, f.sha256 INTO file
	FROM mlmeta_internal.rest_files(run, logged_model) AS f
	WHERE f.path = rest_send_file.path;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'There is no file ''%''', left(path, 300)
			USING ERRCODE = 'undefined_object';
	ELSIF file.sha256 IS NULL THEN
		RAISE EXCEPTION 'The file ''%'' lies elsewhere', path
			USING ERRCODE = 'undefined_object';
	END IF;
	PERFORM mlmeta.record_download(run, logged_model, path,
		mlmeta_internal.rest_purpose(request, 'file ' || path));
	RETURN mlmeta_internal.rest_file_reply(path, file.sha256);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_send_file(jsonb, mlmeta.run, text, text) IS
	'sends a file of a run or a logged model, on record where a registered version is made of it';

CREATE FUNCTION mlmeta_internal.rest_get_file_reply(request jsonb)
RETURNS mlmeta_internal.http_reply
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner record := mlmeta_internal.rest_file_owner(mlmeta_internal.rest_check_folder(
		request ->> 'path'));
BEGIN
	RETURN mlmeta_internal.rest_send_file(request, owner.run::mlmeta.run,
		owner.logged_model, owner.file);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_get_file_reply(jsonb) IS
	'GET mlflow-artifacts/artifacts/PATH';

CREATE FUNCTION mlmeta_internal.rest_get_artifact_reply(request jsonb)
RETURNS mlmeta_internal.http_reply
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	run mlmeta.runs := mlmeta_internal.rest_run_of(request, false);
BEGIN
	RETURN mlmeta_internal.rest_send_file(request, run.run, NULL,
		mlmeta_internal.rest_check_folder(mlmeta_internal.arg_text(request, 'path', true)));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_get_artifact_reply(jsonb) IS
	'GET /get-artifact';

CREATE FUNCTION mlmeta_internal.rest_put_file(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	path text := mlmeta_internal.rest_check_folder(request ->> 'path');
	owner record := mlmeta_internal.rest_file_owner(path);
	digest text := request ->> '$sha256';
	size bigint := (request ->> '$size')::bigint;
	run mlmeta.runs;
BEGIN
	IF digest IS NULL THEN
		RAISE EXCEPTION 'Files come through mlmeta serve --artifacts, which keeps them'
			USING ERRCODE = 'feature_not_supported';
	ELSIF owner.file = '' THEN
		RAISE EXCEPTION 'Path ''%'' belongs to no run and no logged model.', left(path, 300)
			USING ERRCODE = 'undefined_object',
				HINT = 'A path is EXPERIMENT/RUN/artifacts/FILE or EXPERIMENT/models/MODEL/artifacts/FILE.';
	ELSIF owner.run IS NOT NULL THEN
		run := mlmeta_internal.rest_run_of(jsonb_build_object('run_id', owner.run));
		PERFORM mlmeta.log_file(run.run, owner.file, size, digest,
			mlmeta_internal.rest_media_type(owner.file));
	ELSE
		PERFORM mlmeta.log_model_file(owner.logged_model, owner.file, size, digest,
			mlmeta_internal.rest_media_type(owner.file));
	END IF;
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_put_file(jsonb) IS
	'PUT mlflow-artifacts/artifacts/PATH, whose bytes the gateway has stored';

CREATE FUNCTION mlmeta_internal.rest_delete_files(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	path text := mlmeta_internal.rest_check_folder(request ->> 'path');
	owner record := mlmeta_internal.rest_file_owner(path);
	run mlmeta.runs;
BEGIN
	IF owner.run IS NOT NULL THEN
		run := mlmeta_internal.rest_run_of(jsonb_build_object('run_id', owner.run));
		PERFORM mlmeta.remove_files(run.run, owner.file);
	ELSIF owner.logged_model IS NOT NULL THEN
		PERFORM mlmeta.remove_model_files(owner.logged_model, owner.file);
	ELSE
		RAISE EXCEPTION 'Path ''%'' belongs to no run and no logged model.', left(path, 300)
			USING ERRCODE = 'undefined_object';
	END IF;
	RETURN '{}';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_delete_files(jsonb) IS
	'DELETE mlflow-artifacts/artifacts/PATH; a repetition is none';
