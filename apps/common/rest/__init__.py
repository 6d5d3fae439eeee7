"""HTTP conventions that every app's ``rest`` room uses: errors, fields, pages, headers, docs."""
