#!/usr/bin/env python3
"""Makes countries.json and timezones.json; SOURCES.md says from what.

usage: convert.py <folder of the unpacked npm package> <folder of tzdata's .tab files>
"""
import json
import pathlib
import re
import sys

package, tzdata = map(pathlib.Path, sys.argv[1:3])
here = pathlib.Path(__file__).parent


def table(name):
    lines = (tzdata / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def degrees(text):
    sign, digits = (-1 if text[0] == "-" else 1), text[1:]
    width = 2 if len(digits) in (4, 6) else 3
    parts = [digits[:width], digits[width : width + 2], digits[width + 2 :]]
    value = sum(int(part or 0) / 60**power for power, part in enumerate(parts))
    return round(sign * value, 4)


def coordinates(text):
    latitude, longitude = re.fullmatch(r"([+-]\d+)([+-]\d+)", text).groups()
    return {"latitude": degrees(latitude), "longitude": degrees(longitude)}


def text(value):
    return value.replace("\u200e", "").strip() or None


zones, zones_of = [], {}
for code, place, name, *comment in table("zone.tab"):
    zone = {"id": name, "country": code, "coordinates": coordinates(place), "comment": comment[0] if comment else None}
    zones.append(zone)
    zones_of.setdefault(code, []).append(zone)
zones.sort(key=lambda zone: zone["id"])

source = json.loads((package / "countries.min.json").read_text(encoding="utf-8"))
code3 = json.loads((package / "minimal/countries.2to3.min.json").read_text(encoding="utf-8"))
countries = []
# ISO 3166-1 as tzdata lists it; the package has three codes more, which are reserved or assigned by users.
for code in sorted(row[0] for row in table("iso3166.tab")):
    country, own = source[code], zones_of.get(code, [])
    countries.append(
        {
            "code": code,
            "code3": code3[code],
            "name": country["name"],
            "native": text(country["native"]),
            "aliases": [alias for alias in country.get("alias", []) if alias not in (code, code3[code])],
            "capital": text(country["capital"]),
            "continent": country["continent"],
            "continents": country.get("continents", [country["continent"]]),
            "currencies": country["currency"],
            "languages": country["languages"],
            "calling_codes": [f"+{number}" for number in country["phone"]],
            "timezones": [zone["id"] for zone in own],
            "coordinates": own[0]["coordinates"] if own else None,
        }
    )

for name, rows in [("countries", countries), ("timezones", zones)]:
    # One record per line: compact, and a change shows in a diff.
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    (here / f"{name}.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(name, len(rows))
