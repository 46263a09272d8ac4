"""The texts of our pages in other languages than English, one catalog (`.po`) a language."""
