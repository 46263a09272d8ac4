"""The API's own description: an OpenAPI 3.1 document made from the code, and a page to read it."""
