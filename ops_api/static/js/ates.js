// What the pages do beyond forms and links. Without it everything still works.
import { localiseTimes } from "./times.js";
import { keepFocus } from "./focus.js";
import { listenToKeys } from "./keys.js";
import { watchRequests } from "./live.js";
import { closeMenus } from "./menus.js";

localiseTimes(document);
document.addEventListener("htmx:after:swap", () => localiseTimes(document));
watchRequests();
keepFocus();
listenToKeys();
closeMenus();
