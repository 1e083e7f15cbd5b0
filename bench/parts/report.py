"""A run's table in Markdown: medians, and the best round in brackets."""

from statistics import median


def cell(values, digits, best=min):
    """`median [best]`"""
    return f"{median(values):,.{digits}f} [{best(values):,.{digits}f}]"


def table(result):
    """The whole report: one line per row, then the small print."""
    lines = [
        result["machine"],
        "",
        "| | requests/s | CPU s per 100k | p50 ms | p99 ms | p50 ms, few | p99 ms, few | upstream connections per 1,000 "
        "| RSS MiB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    notes = []
    for row in result["rows"]:
        many = [measured["many"] for measured in row["rounds"]]
        few = [measured["few"] for measured in row["rounds"]]

        def column(name, digits, best=min, of=many):
            return cell([one[name] for one in of], digits, best)

        lines.append(
            f"| {row['name']} | {column('requests_per_s', 0, max)} | {column('cpu_s_per_100k', 2)} "
            f"| {column('p50_ms', 2)} | {column('p99_ms', 2)} | {column('p50_ms', 2, of=few)} "
            f"| {column('p99_ms', 2, of=few)} | {column('upstream_connections_per_1000', 2)} | {row['rss_mb']:.0f} |"
        )
        for name in row["beside"]:
            # Too little for one round: the kernel counts in hundredths of a second.
            spent = sum(one["beside_cpu_s"][name] for one in many + few)
            per_100k = spent * 100_000 / sum(one["requests"] for one in many + few)
            notes.append(f"Beside {row['name']}: {name} {per_100k:.3f} CPU s per 100k over all rounds.")
    calls = sum(one[kind]["requests"] for row in result["rows"] for one in row["rounds"] for kind in ("many", "few"))
    settings = result["settings"]
    notes.append(
        f"{settings['rounds']} interleaved rounds of {settings['seconds']} s, {settings['connections']} connections "
        f"(few: {settings['few']}), {settings['threads']} worker thread(s) each; median [best]; "
        f"{calls:,} calls, every one answered 2xx; answers of {settings['body']} KiB"
        f"{', a connection for every call' if settings['new_connections'] == 'True' else ''}."
    )
    return "\n".join(lines + [""] + notes)
