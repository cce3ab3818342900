"""What people are told of a key."""

from __future__ import annotations

import pytest

from viz3d.sources.access import Access

KEY = {"type": "service_account"}


@pytest.mark.parametrize(
    ("access", "name"),
    [
        (Access(), "of your login"),
        (Access(key_file="/home/me/keys/reader.json"), "reader.json"),
        (Access(key_file=r"C:\Users\me\reader.json"), "reader.json"),
        (Access(service_account=KEY), "in the app's secrets"),
        (Access(key_file="reader.json", service_account=KEY), "in the app's secrets"),
    ],
)
def test_the_key_that_is_used_is_named_without_its_folder(access: Access, name: str) -> None:
    """A fault names the key that has to be mended, and that is the one that is tried first."""
    assert access.key_name == name
