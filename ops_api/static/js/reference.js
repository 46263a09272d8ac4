// Shows the API's document with Swagger UI. A call tried out goes to this very server, with the
// session of the one who reads.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("reference");
  SwaggerUIBundle({
    domNode: place,
    url: place.dataset.document,
    deepLinking: true,
    validatorUrl: null,
  });
});
