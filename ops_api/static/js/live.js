// What htmx leaves to the page: rest while nobody looks, leave when the session is over, keep the
// address of a search, empty a form that was carried out, and say so when the tracker cannot be
// reached.
export function watchRequests() {
  on("htmx:config:request", (event, ctx) => {
    if (document.hidden && ctx.sourceEvent?.type === "every") event.preventDefault();
  });
  on("htmx:before:response", (event, ctx) => {
    const { redirected, url } = ctx.response.raw;
    if (redirected && new URL(url).pathname === "/login") {
      event.preventDefault();
      location.assign(url);
    }
  });
  on("htmx:after:swap", (event, ctx) => {
    // A field that somebody typed in keeps their text, whatever the answer has in its place.
    if (ctx.sourceElement?.matches?.("form[method=post]")) ctx.sourceElement.reset();
    if (ctx.sourceElement?.matches?.("[data-address]")) {
      history.replaceState(null, "", ctx.request.action);
    }
  });
  on("htmx:error", (event, ctx) => {
    const words = document.getElementById("unreachable");
    const messages = document.getElementById("messages");
    const isAsked = ctx?.sourceEvent?.type !== "every";
    if (words && messages && isAsked) messages.replaceChildren(words.content.cloneNode(true));
  });
}

function on(name, handle) {
  document.addEventListener(name, (event) => handle(event, event.detail.ctx));
}
