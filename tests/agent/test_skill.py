"""Front matter of a SKILL.md, as people and tools write it."""

import pytest

from serai.agent.skill import DESCRIPTION_MOST, Skill, parse_skill

WRITTEN = {
    "plain": "name: tidy\ndescription: Tidies a folder.",
    "windows line ends": "name: tidy\r\ndescription: Tidies a folder.\r",
    "quotes": "name: \"tidy\"\ndescription: 'Tidies a folder.'",
    "a colon in the value": "name: tidy\ndescription: Tidies: a folder.",
    "comments": "# about\nname: tidy # short\ndescription: Tidies a folder. # long",
    "a comment after quotes": 'name: "tidy" # short\ndescription: "Tidies a folder." # long',
    "folded": "name: tidy\ndescription: >-\n  Tidies\n  a folder.\n",
    "literal": "name: tidy\ndescription: |\n  Tidies\n\n  a folder.\n",
    "going on in the next line": "name: tidy\ndescription: Tidies\n  a folder.",
    "beginning in the next line": "name: tidy\ndescription:\n  Tidies a folder.",
    "other keys": "license: MIT\nname: tidy\nmetadata:\n  name: other\n  version: 1\ndescription: Tidies a folder.",
    "lists": "allowed-tools:\n  - name: x\n- odd\nname: tidy\ndescription: Tidies a folder.",
}


@pytest.mark.parametrize("block", WRITTEN.values(), ids=WRITTEN.keys())
def test_name_and_description_are_read(block: str) -> None:
    skill = parse_skill(f"---\n{block}\n---\n# Tidy\n\nname: body\n")
    assert skill is not None
    assert skill.name == "tidy"
    assert skill.description.replace(":", "") == "Tidies a folder."


MALFORMED = {
    "empty": "",
    "no front matter": "# Tidy\n",
    "not closed": "---\nname: tidy\ndescription: x\n",
    "late": "\n---\nname: tidy\ndescription: x\n---\n",
    "no name": "---\ndescription: x\n---\n",
    "no description": "---\nname: tidy\n---\n",
    "blank name": "---\nname: ''\ndescription: x\n---\n",
    "blank description": "---\nname: tidy\ndescription: # later\n---\n",
    "no colon": "---\nname tidy\ndescription x\n---\n",
    "binary": "\x7fELF\x00\x01",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_malformed_is_no_skill(text: str) -> None:
    assert parse_skill(text) is None


@pytest.mark.parametrize(
    ("value", "description"),
    [
        (r'"a \"quoted\" word"', 'a "quoted" word'),
        ("'it''s'", "it's"),
        (r'"caf\u00e9"', "café"),
        (r'"C:\odd\path"', r"C:\odd\path"),
        (r'"two\nlines"', "two lines"),
        ('"never closed', "never closed"),
        ('"', None),
        ("größer 日本", "größer 日本"),
        ("a\x1b[31m\x00b", "a[31mb"),
    ],
)
def test_values_in_quotes_and_with_odd_letters(value: str, description: str | None) -> None:
    expected = None if description is None else Skill("x", description)
    assert parse_skill(f"---\nname: x\ndescription: {value}\n---\n") == expected


def test_a_description_is_cut_at_the_layouts_limit() -> None:
    skill = parse_skill(f"---\nname: {'n' * 100}\ndescription: {'d' * 2000}\n---\n")
    assert skill == Skill("n" * 64, "d" * DESCRIPTION_MOST)


def test_a_byte_order_mark_does_no_harm() -> None:
    assert parse_skill("\ufeff---\nname: x\ndescription: y\n---\n") == Skill("x", "y")
