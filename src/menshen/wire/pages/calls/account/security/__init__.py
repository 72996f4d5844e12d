"""Answer the pages that change how a person logs in. Each act needs a fresh proof, or brings one along."""
