"""From a template and its values to an answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from poems.render import as_html
from poems.render.guide_view import day
from poems.web import begin, example, names
from poems.web.ask import TOKEN, Ask

HERE = Path(__file__).parent
THEMES = ("auto", "light", "dark")
TITLES = {400: "That could not be read", 403: "Not allowed", 404: "Not found", 405: "Not answered", 408: "Too slow",
          409: "Somebody was faster", 410: "No longer kept", 413: "Too large", 415: "Not a file that can be read",
          421: "Not this address", 422: "That cannot be saved", 429: "Wait a little", 503: "Not now",
          507: "The disk is full"}


@cache
def environment() -> Environment:
    """The templates of the app, and those of the renderings, so that a page can hold a part of a review."""
    base = as_html.environment()
    assert base.loader is not None
    made = Environment(
        loader=ChoiceLoader([FileSystemLoader(HERE / "templates"), base.loader]), auto_reload=False,
        undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    made.filters.update(base.filters | {"day": day})
    made.globals.update(base.globals | {
        "static": static, "has_knowledge": True, "finding_names": names.options, "finding_name": names.name,
        "finding_short": names.short,
        "finding_like": names.like, "begin_with": begin.begin, "is_from_paper": example.is_example})
    return made


def warm() -> None:
    """Compile every template now, so that nobody waits for it later."""
    for name in environment().list_templates(extensions=["j2"]):
        environment().get_template(name)


@cache
def style() -> str:
    """The styles of the renderings, those of the guide for its own room only, and after them the app's own."""
    folder = Path(as_html.__file__).parent / "templates"
    page, follow, guide = ((folder / name).read_text("utf-8") for name in ("page.css", "follow.css", "guide.css"))
    own = (HERE / "static" / "app.css").read_text("utf-8")
    return f"{page}\n{follow}\n@scope (.guide-room){{\n{guide}}}\n{own}"


def stylesheet(request: Request) -> Response:
    """The one stylesheet of the app; its address names its content, so that it may be kept for ever."""
    return Response(style(), media_type="text/css", headers={"cache-control": "public, max-age=31536000, immutable"})


@cache
def static(name: str) -> str:
    """The address of a file of the app, with a mark of its content, so that a browser never keeps an old one."""
    if name == "style.css":
        return f"/style.css?v={hashlib.sha256(style().encode()).hexdigest()[:10]}"
    mark = hashlib.sha256((HERE / "static" / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={mark}"


def page(ask: Ask, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, back: str = "/",
         **values: Any) -> Response:
    """A template with its values, and what every page needs besides.

    back: where the switches of the bar lead back to, after a page that answers a form and has no address of its own.
    """
    url = ask.request.url
    here = f"{url.path}?{url.query}" if url.query else url.path
    html = environment().get_template(template).render(
        ask=ask, edition=ask.edition, theme=theme(ask.request), token=ask.session.token, token_field=TOKEN,
        may=ask.session.may, has_accounts=ask.settings.accounts is not None, is_example=ask.settings.is_example,
        here=url.path, back=here if ask.request.method == "GET" else back, **values)
    return HTMLResponse(html, status, headers)


def theme(request: Request) -> str:
    """Light, dark, or as the machine is set."""
    chosen = request.cookies.get("theme", "auto")
    return chosen if chosen in THEMES else "auto"


def fault(request: Request, status: int, said: str, headers: Mapping[str, str] | None = None) -> Response:
    """The page of a refusal: what it is called, what happened, what to do."""
    html = environment().get_template("fault.html.j2").render(
        title=TITLES.get(status, "That did not work"), said=said, status=status, theme=theme(request))
    return HTMLResponse(html, status, headers)
