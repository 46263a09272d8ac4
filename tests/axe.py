"""axe-core over a page in a real browser: what stops people who see, hear or move otherwise."""

from pathlib import Path

from playwright.sync_api import Page

SCRIPT = Path(__file__).with_name("vendor") / "axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_RUN = """async tags => {
    const found = await axe.run(document, {runOnly: {type: "tag", values: tags}});
    const reason = node => node.failureSummary.split("\\n").slice(1).join("; ");
    return found.violations.flatMap(rule => rule.nodes.map(
        node => `${rule.id}: ${node.target.join(" ")}: ${reason(node)}`
    ));
}"""


def violations(page: Page) -> list[str]:
    """One line for each element that breaks a rule of WCAG 2.2 A or AA, or a best practice.

    The script goes in beside the page's own content security policy, as the browser's debugger
    does, so a strict policy stays as it is.
    """
    page.evaluate(SCRIPT.read_text("utf-8"))
    found: list[str] = page.evaluate(_RUN, list(RULES))
    return found
