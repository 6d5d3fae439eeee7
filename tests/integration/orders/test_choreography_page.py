"""``docs/choreography.md`` says who listens to what."""

import re

from tests.architecture.writers import ROOT
from tests.pump import checkout_groups


def test_the_page_names_every_group_and_what_it_listens_to():
    page = (ROOT / "docs" / "choreography.md").read_text()
    rows = re.findall(r"^\| `(\w+\.checkout)` \| ([^|]+) \|", page, re.MULTILINE)
    found = {name: set(re.findall(r"`([^`]+)`", topics)) for name, topics in rows}
    assert found == {group.name: set(group.topics) for group in checkout_groups()}
