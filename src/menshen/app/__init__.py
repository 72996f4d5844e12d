"""Assembly: settings, adapters, flows, the ASGI application and the process that serves it."""
