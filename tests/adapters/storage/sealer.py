"""What seals in the stores that tests open by themselves."""

from menshen.adapters.sealing import KeyringSealer
from tests.harness import KEYRING

SEALER = KeyringSealer(KEYRING)
