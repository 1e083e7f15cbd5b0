"""Fills a platform with routes and keys, straight into its database: through the API a million of them takes an hour.

Every application has one key and one subscription, and every hundred are of one organization.
"""

import io
import subprocess
import uuid

from .keys import digest_of, key_of

ROUTES_PER_API = 500
KEYS_PER_ORGANIZATION = 100


def uuid_of(kind, number):
    """The id of a number: of a kind of rows, spread like the random half of a UUIDv7."""
    spread = (number ^ kind << 40) * 0x9E3779B97F4A7C15 & (1 << 62) - 1
    return f"019a0000-0000-7{kind:03x}-{0x8000 | spread >> 48:04x}-{spread & (1 << 48) - 1:012x}"


def uuid_in(text):
    """The UUID behind an id of the API, like prd_01m7zsf78ce7frtetan124bwv8: Crockford's base 32."""
    number = 0
    for digit in text.rpartition("_")[2]:
        number = number * 32 + "0123456789abcdefghjkmnpqrstvwxyz".index(digit)
    return str(uuid.UUID(int=number))


def id_in(prefix, text):
    """The API's id of a UUID."""
    number, digits = uuid.UUID(text).int, ""
    for _ in range(26):
        number, rest = divmod(number, 32)
        digits = "0123456789abcdefghjkmnpqrstvwxyz"[rest] + digits
    return f"{prefix}_{digits}"


def psql(url, text, rows=None):
    """Runs SQL; `rows` is what a COPY FROM STDIN in it reads."""
    command = ["psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--dbname={url}"]
    # No feed and no audit: this is a stage, not a history.
    script = f"set session_replication_role = replica;\n{text}\n"
    if rows is not None:
        script += rows + "\\.\n"
    subprocess.run(command, input=script, text=True, check=True, stdout=subprocess.DEVNULL)


def add_routes(url, like, product_id, count):
    """Adds so many routes below `/fill…`, each API a copy of the one with the slug `like`."""
    apis, routes, members = io.StringIO(), io.StringIO(), io.StringIO()
    numbers = range((count + ROUTES_PER_API - 1) // ROUTES_PER_API)
    service = f"(select service_id from apis where slug = '{like}')"
    values = ",".join(
        f"('{uuid_of(1, n)}', 'fill-{n}', 'Fill {n}', {service}, '/fill{n}', 'published')" for n in numbers
    )
    for number in range(count):
        api = uuid_of(1, number // ROUTES_PER_API)
        routes.write(f"{uuid_of(2, number)}\t{api}\toperation{number}\tGET\t/v1/things{number}/{{id}}\n")
    for number in numbers:
        members.write(f"{product_id}\t{uuid_of(1, number)}\n")
    psql(url, f"insert into apis (id, slug, name, service_id, base_path, state) values {values};" + apis.getvalue())
    psql(url, "copy routes (id, api_id, operation_id, method, path) from stdin;", routes.getvalue())
    psql(url, "copy product_apis (product_id, api_id) from stdin;", members.getvalue())


def add_keys(url, pepper, product_id, plan_id, count):
    """Adds so many keys, `key_of(0)` and on, each of an application of its own that is subscribed."""
    columns = {
        "organizations (id, name, slug)": io.StringIO(),
        "applications (id, organization_id, name)": io.StringIO(),
        "subscriptions (id, organization_id, application_id, product_id, plan_id, state)": io.StringIO(),
        "credentials (id, organization_id, application_id, name, environment, display_prefix, display_last4,"
        " digest, pepper_version)": io.StringIO(),
    }
    organizations, applications, subscriptions, credentials = columns.values()
    for number in range((count + KEYS_PER_ORGANIZATION - 1) // KEYS_PER_ORGANIZATION):
        organizations.write(f"{uuid_of(3, number)}\tFill {number}\tfill-{number}\n")
    for number in range(count):
        organization, application = uuid_of(3, number // KEYS_PER_ORGANIZATION), uuid_of(4, number)
        key = key_of(number)
        applications.write(f"{application}\t{organization}\tFill {number}\n")
        subscriptions.write(
            f"{uuid_of(5, number)}\t{organization}\t{application}\t{product_id}\t{plan_id}\tactive\n"
        )
        text = key.decode()
        credentials.write(
            f"{uuid_of(6, number)}\t{organization}\t{application}\tFill\tlive\t{text[:12]}\t{text[-4:]}"
            f"\t\\\\x{digest_of(key, pepper).hex()}\t1\n"
        )
    for table, rows in columns.items():
        psql(url, f"copy {table} from stdin;", rows.getvalue())
    psql(url, "analyze;")
