# Reads events of OpenLineage, one a line, and prints what the official schemas in
# the folder that is named say against them and their facets. Exits with 77 where
# the module jsonschema is not installed.
import json
import pathlib
import sys
import warnings

warnings.simplefilter("ignore")
try:
    from jsonschema import Draft202012Validator, FormatChecker, RefResolver
except ImportError:
    sys.exit(77)

folder = pathlib.Path(sys.argv[1])
event_schema = json.loads((folder / "OpenLineage.json").read_text())
store = {event_schema["$id"]: event_schema}
for path in (folder / "facets").glob("*.json"):
    facet_schema = json.loads(path.read_text())
    store[facet_schema["$id"]] = facet_schema


def check(schema, base, value):
    resolver = RefResolver(base, store[base], store)
    return Draft202012Validator(schema, resolver=resolver,
                                format_checker=FormatChecker()).iter_errors(value)


def facets(event):
    yield from event["run"]["facets"].values()
    yield from event["job"]["facets"].values()
    for dataset in event["inputs"] + event["outputs"]:
        for kind in ("facets", "inputFacets", "outputFacets"):
            yield from dataset.get(kind, {}).values()


for line in sys.stdin:
    event = json.loads(line)
    for error in check(event_schema, event_schema["$id"], event):
        print(event["run"]["runId"], error.message)
    for facet in facets(event):
        url = facet["_schemaURL"]
        base = url.split("#")[0]
        if base not in store:
            print(event["run"]["runId"], "unknown schema", url)
            continue
        for error in check({"$ref": url}, base, facet):
            print(event["run"]["runId"], url, error.message)
