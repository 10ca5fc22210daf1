"""The laboratory in a browser: a small server, static pages without a build step, and replays in one file.

The server computes a run ahead and streams it tick by tick; the browser plays it back. ``churnsim play`` starts it;
`churnsim.web.replay` needs no server at all. The server needs the extra ``web`` (Starlette, uvicorn).
"""
