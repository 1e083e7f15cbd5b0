"""A run's tables in Markdown: medians, and the best round in brackets."""

from statistics import median


def cell(values, digits, best=min):
    """`median [best]`"""
    return f"{median(values):,.{digits}f} [{best(values):,.{digits}f}]"


def text(result):
    """The whole report: a table for each way to call, then the small print."""
    settings = result["settings"]
    lines = [result["machine"], ""]
    for table in result["tables"]:
        lines += table_of(table) + [""]
    kinds = [one[kind] for table in result["tables"] for row in table["rows"] for one in row["rounds"] for kind in one]
    lines += beside(result) + [
        f"{settings['rounds']} interleaved rounds of {settings['seconds']} s; {settings['threads']} worker thread(s) each; "
        f"median [best]; Tollgate with {int(settings['routes']):,} routes and {int(settings['keys']):,} keys; "
        f"{sum(one['requests'] for one in kinds):,} calls, every one answered 2xx."
    ]
    return "\n".join(lines)


def table_of(table):
    """One way to call."""
    has_few = any("few" in one for row in table["rows"] for one in row["rounds"])
    few_heads = " p50 ms, few | p99 ms, few |" if has_few else ""
    lines = [
        f"### {table['title']}",
        "",
        f"| | requests/s | CPU s per 100k | × nginx | user CPU | p50 ms | p99 ms |{few_heads} upstream connections per 1,000 "
        "| RSS MiB |",
        "|---|---|---|---|---|---|---|---|---|" + ("---|---|" if has_few else ""),
    ]
    nginx = next((row for row in table["rows"] if row["name"] == "nginx"), None)
    for row in table["rows"]:
        many = [measured["many"] for measured in row["rounds"]]
        few = [measured["few"] for measured in row["rounds"] if "few" in measured]

        def column(name, digits, best=min, of=many):
            return cell([one[name] for one in of], digits, best)

        few_cells = f" {column('p50_ms', 2, of=few)} | {column('p99_ms', 2, of=few)} |" if few else ""
        lines.append(
            f"| {row['name']} | {column('requests_per_s', 0, max)} | {column('cpu_s_per_100k', 2)} "
            f"| {times(row, nginx)} | {column('user_s_per_100k', 2)} | {column('p50_ms', 2)} | {column('p99_ms', 2)} "
            f"|{few_cells} {column('upstream_connections_per_1000', 2)} | {row['rss_mb']:.0f} |"
        )
    return lines


def times(row, nginx):
    """How much CPU a call takes beside nginx's in the same round: the median of the rounds."""
    if nginx is None:
        return ""
    pairs = zip(row["rounds"], nginx["rounds"])
    return f"{median(mine['many']['cpu_s_per_100k'] / its['many']['cpu_s_per_100k'] for mine, its in pairs):.2f}"


def beside(result):
    """What helpers took, where it is worth a line. Too little for one round: the kernel counts in hundredths of a second."""
    lines = []
    names = {row["name"] for table in result["tables"] for row in table["rows"]}
    for name in sorted(names):
        runs = [
            one[kind] for table in result["tables"] for row in table["rows"] if row["name"] == name
            for one in row["rounds"] for kind in one
        ]
        for helper in runs[0]["beside_cpu_s"]:
            per_100k = sum(one["beside_cpu_s"][helper] for one in runs) * 1e5 / sum(one["requests"] for one in runs)
            lines.append(f"Beside {name}: {helper} {per_100k:.3f} CPU s per 100k over all rounds.")
    return lines
