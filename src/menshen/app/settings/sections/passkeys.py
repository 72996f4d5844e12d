"""Define `[passkeys]`: where passkeys are used, and who else may use them. (docs/contracts/factors.md section 6.)"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from menshen.core.factors.associations import Associations
from menshen.core.factors.passkeys import PasskeySites, is_under

_Fingerprint = Annotated[str, Meta(pattern=r"^([0-9A-F]{2}:){31}[0-9A-F]{2}$")]


class Passkeys(Struct, frozen=True, kw_only=True):
    """Set the name that passkeys are made for, and the pages and apps that may use them."""

    rp_id: Annotated[
        str,
        Meta(
            description="The domain that passkeys are made for, such as `example.com`. Empty: the host of the request. "
            "A passkey is lost when this changes."
        ),
    ] = ""
    origins: Annotated[
        tuple[str, ...],
        Meta(
            description="Origins whose pages and apps may use passkeys, compared whole, such as "
            "`https://login.example.com` or `android:apk-key-hash:…`. Empty: that of the request. Those of other "
            "domains are named at `/.well-known/webauthn`."
        ),
    ] = ()
    embedders: Annotated[
        tuple[str, ...],
        Meta(description="Origins of pages that may show such a page in a frame. Empty: none."),
    ] = ()
    enroll_url: Annotated[
        str, Meta(description="The page that adds a passkey, for `/.well-known/passkey-endpoints`.")
    ] = ""
    manage_url: Annotated[str, Meta(description="The page that lists passkeys, for the same.")] = ""
    android_apps: Annotated[
        dict[str, tuple[_Fingerprint, ...]],
        Meta(
            description="SHA-256 fingerprints of certificates (`AB:CD:…`) by the package's name, for "
            "`/.well-known/assetlinks.json`. Their origins belong to `origins`, too."
        ),
    ] = {}
    ios_apps: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^[A-Z0-9]{10}\.[A-Za-z0-9.-]{1,155}$")], ...],
        Meta(description="Ids of apps (`TEAMID1234.com.example.app`), for `/.well-known/apple-app-site-association`."),
    ] = ()


def sites_of(passkeys: Passkeys) -> PasskeySites:
    """Return what the flows need to know."""
    return PasskeySites(passkeys.rp_id, passkeys.origins, passkeys.embedders)


def associations_of(passkeys: Passkeys) -> Associations:
    """Return what is said to other sites and apps."""
    return Associations(
        related=tuple(each for each in passkeys.origins if is_related(each, passkeys.rp_id)),
        enroll=passkeys.enroll_url,
        manage=passkeys.manage_url,
        android=passkeys.android_apps,
        ios=passkeys.ios_apps,
    )


def is_related(origin: str, rp_id: str) -> bool:
    """Return whether a page of this origin uses the RP id of another domain. Browsers then ask that domain."""
    return rp_id != "" and origin.startswith("https://") and not is_under(origin, rp_id)
