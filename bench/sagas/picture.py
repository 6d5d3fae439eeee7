"""The comparison as an SVG that is readable on light and on dark ground."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from bench.sagas.figures import SIDES
from bench.sagas.screen import NAMES

WIDTH, LEFT, RIGHT, BAR, STEP = 760, 130, 120, 22, 36
STYLE = """
  .ground { fill: #ffffff } .ink { fill: #1f2937 } .soft { fill: #6b7280 } .line { stroke: #d1d5db }
  .ours { fill: #0f766e } .theirs { fill: #94a3b8 }
  text { font: 13px system-ui, sans-serif } .title { font-size: 15px; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } .ink { fill: #e6edf3 } .soft { fill: #9198a1 }
    .line { stroke: #3d444d } .ours { fill: #2dd4bf } .theirs { fill: #64748b }
  }
"""


def draw(report: Mapping[str, Any]) -> str:
    """Sagas per second, and below them commits and latency, of every side."""
    sides = [name for name in SIDES if "sagas_per_second" in report.get(name, {})]
    ratio = report["ratio"]
    groups = [
        (
            "Checkout sagas per second (longer is better)",
            [
                (
                    name,
                    report[name]["sagas_per_second"],
                    f"{report[name]['sagas_per_second']:,.0f}"
                    + (f"  (Holdfast: {ratio[name]:.0f} ×)" if name in ratio else ""),
                )
                for name in sides
            ],
        ),
        (
            "Commits per saga, reads included (shorter is better)",
            [
                (name, count, f"{count:.2f}")
                for name in sides
                if (count := report[name]["commits_per_saga"]) is not None
            ],
        ),
        (
            "Accept to confirmed at 5 orders/s, median and p99 in ms; Holdfast with its gateway",
            [
                (name, latency["p50_ms"], f"{latency['p50_ms']:.0f} / {latency['p99_ms']:.0f}")
                for name in sides
                if (latency := report[name].get("latency"))
            ],
        ),
    ]
    return _page([(title, bars) for title, bars in groups if bars])


def _page(groups: Sequence[tuple[str, Sequence[tuple[str, float, str]]]]) -> str:
    parts, top = [], 16
    for title, bars in groups:
        parts.append(f'<text class="ink title" x="16" y="{top + 18}">{escape(title)}</text>')
        top += 34
        largest = max(value for _, value, _ in bars) or 1
        room = WIDTH - LEFT - RIGHT - 60
        for name, value, label in bars:
            kind = "ours" if name == "holdfast" else "theirs"
            length = max(value / largest * room, 2)
            middle = top + BAR / 2 + 5
            parts += [
                f'<text class="ink" x="{LEFT - 10}" y="{middle:g}" text-anchor="end">'
                f"{escape(NAMES[name])}</text>",
                f'<rect class="{kind}" x="{LEFT}" y="{top}" width="{length:.1f}" height="{BAR}"'
                ' rx="3"/>',
                f'<text class="soft" x="{LEFT + length + 8:.1f}" y="{middle:g}">'
                f"{escape(label)}</text>",
            ]
            top += STEP - 6
        parts.append(
            f'<line class="line" x1="{LEFT}" x2="{LEFT}" y1="{top - len(bars) * (STEP - 6) - 4}"'
            f' y2="{top - 4}"/>'
        )
        top += 14
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}"'
        f' height="{top}" role="img" aria-label="Holdfast beside DBOS and a Celery chain">\n'
        f"<style>{STYLE}</style>\n"
        f'<rect class="ground" width="{WIDTH}" height="{top}"/>\n{body}\n</svg>\n'
    )
