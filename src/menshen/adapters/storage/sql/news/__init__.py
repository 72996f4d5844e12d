"""Learn what other processes and nodes have ended, so that token checks may be answered from memory."""
