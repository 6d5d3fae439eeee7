"""What the search reads: an entry per product and the words of all names, kept by triggers.

They stand in tables of their own, so that a change of price or stock touches none of their
indexes; the trigram index of the products themselves is dropped for that. Every writer keeps them,
bulk and raw ones too, in its own transaction: the triggers do.
"""

import sys

from django.db import migrations

from apps.catalog import searching

# Folding: accents away, small letters, everything but letters and digits is a space; apostrophes
# vanish. The same function folds what is asked, so both sides agree whatever the locale.
FUNCTIONS = r"""
CREATE FUNCTION catalog_search_plain(given text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN octet_length(given) = char_length(given) THEN given
           ELSE regexp_replace(normalize(given, NFKD), '[\u0300-\u036f]+', '', 'g') END
$$;
CREATE FUNCTION catalog_search_fold(given text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT btrim(regexp_replace(
        lower(translate(catalog_search_plain(given), '''’‘`´', '')),
        '[\u0001-\u002f\u003a-\u0060\u007b-\u00a0\u00a1-\u00bf\u00d7\u00f7\u2000-\u2bff'
        '\u3000-\u303f\ufe10-\ufe6f\uff00-\uff0f]+', ' ', 'g'))
$$;
CREATE TEXT SEARCH DICTIONARY catalog_stem (TEMPLATE = snowball, LANGUAGE = english);
CREATE TEXT SEARCH CONFIGURATION catalog_search (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION catalog_search
    ALTER MAPPING FOR asciiword, word WITH catalog_stem;
CREATE FUNCTION catalog_search_vector(
    name text, sku text, description text, category_id bigint
) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT setweight(to_tsvector('catalog_search', catalog_search_fold(name)), 'A')
        || setweight(to_tsvector('catalog_search', catalog_search_fold(sku) || ' '
                                 || replace(catalog_search_fold(sku), ' ', '')), 'B')
        || CASE WHEN category_id IS NULL THEN ''::tsvector
           ELSE format('''#%s'':1B', category_id)::tsvector END
        || setweight(to_tsvector('catalog_search',
                                 catalog_search_fold(left(description, 10000))), 'D')
$$;
CREATE FUNCTION catalog_search_near(word text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT word || ARRAY(SELECT DISTINCT left(word, n - 1) || substr(word, n + 1)
                         FROM generate_series(1, char_length(word)) n)
$$;
"""
TABLES = r"""
CREATE TABLE catalog_searchentry (
    product_id bigint PRIMARY KEY,
    category_id bigint,
    for_sale boolean NOT NULL,
    name_length smallint NOT NULL,
    code text NOT NULL,
    text text NOT NULL,
    vector tsvector NOT NULL
);
COMMENT ON COLUMN catalog_searchentry.code IS 'the SKU, folded, without spaces';
COMMENT ON COLUMN catalog_searchentry.text IS 'name, SKU, description in capitals, no accents';
CREATE INDEX catalog_searchentry_vector ON catalog_searchentry USING gin (vector)
    WITH (gin_pending_list_limit = 512);
CREATE TABLE catalog_searchword (
    word text COLLATE "C" NOT NULL,
    stem text COLLATE "C" NOT NULL,
    documents integer NOT NULL,
    near text[] NOT NULL
);
COMMENT ON TABLE catalog_searchword IS
    'words of names; one may stand here twice until it is counted anew, and nobody waits for it';
CREATE INDEX catalog_searchword_word ON catalog_searchword (word);
CREATE INDEX catalog_searchword_stem ON catalog_searchword (stem);
CREATE INDEX catalog_searchword_near ON catalog_searchword USING gin (near)
    WITH (fastupdate = off);
"""
TRIGGERS = r"""
CREATE FUNCTION catalog_search_learn(names text[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO catalog_searchword (word, stem, documents, near)
    SELECT word, coalesce((ts_lexize('catalog_stem', word))[1], word), documents,
           catalog_search_near(word)
    FROM (
        SELECT word COLLATE "C" AS word, count(*) AS documents
        FROM unnest(names) AS given, string_to_table(catalog_search_fold(given), ' ') AS word
        WHERE word ~ '^[^0-9]{1,40}$' GROUP BY 1
    ) AS fresh
    WHERE NOT EXISTS (SELECT FROM catalog_searchword old WHERE old.word = fresh.word)
$$;
CREATE FUNCTION catalog_search_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO catalog_searchentry
        (product_id, category_id, for_sale, name_length, code, text, vector)
    SELECT id, category_id, active AND deleted IS NULL, char_length(name),
           replace(catalog_search_fold(sku), ' ', ''),
           upper(catalog_search_plain(name || E'\n' || sku || E'\n' || description)),
           catalog_search_vector(name, sku, description, category_id)
    FROM added ON CONFLICT (product_id) DO NOTHING;
    PERFORM catalog_search_learn((SELECT array_agg(name) FROM added));
    RETURN NULL;
END $$;
CREATE FUNCTION catalog_search_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE catalog_searchentry SET
        category_id = NEW.category_id,
        for_sale = NEW.active AND NEW.deleted IS NULL,
        name_length = char_length(NEW.name),
        code = replace(catalog_search_fold(NEW.sku), ' ', ''),
        text = upper(catalog_search_plain(
            NEW.name || E'\n' || NEW.sku || E'\n' || NEW.description)),
        vector = catalog_search_vector(NEW.name, NEW.sku, NEW.description, NEW.category_id)
    WHERE product_id = NEW.id;
    IF NEW.name <> OLD.name THEN
        PERFORM catalog_search_learn(ARRAY[NEW.name::text]);
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION catalog_search_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM catalog_searchentry WHERE product_id IN (SELECT id FROM removed);
    RETURN NULL;
END $$;
CREATE FUNCTION catalog_search_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE catalog_searchentry, catalog_searchword;
    RETURN NULL;
END $$;
CREATE TRIGGER catalog_search_added AFTER INSERT ON catalog_product
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION catalog_search_added();
CREATE TRIGGER catalog_search_changed
    AFTER UPDATE OF name, sku, description, category_id, active, deleted
    ON catalog_product FOR EACH ROW
    WHEN (NEW.name <> OLD.name OR NEW.sku <> OLD.sku OR NEW.description <> OLD.description
          OR NEW.category_id IS DISTINCT FROM OLD.category_id OR NEW.active <> OLD.active
          OR (NEW.deleted IS NULL) <> (OLD.deleted IS NULL))
    EXECUTE FUNCTION catalog_search_changed();
CREATE TRIGGER catalog_search_removed AFTER DELETE ON catalog_product
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION catalog_search_removed();
CREATE TRIGGER catalog_search_emptied AFTER TRUNCATE ON catalog_product
    FOR EACH STATEMENT EXECUTE FUNCTION catalog_search_emptied();
"""
# After the triggers, whose creation keeps writers out until the commit.
EXISTING = r"""
INSERT INTO catalog_searchentry
    (product_id, category_id, for_sale, name_length, code, text, vector)
SELECT id, category_id, active AND deleted IS NULL, char_length(name),
       replace(catalog_search_fold(sku), ' ', ''),
       upper(catalog_search_plain(name || E'\n' || sku || E'\n' || description)),
       catalog_search_vector(name, sku, description, category_id)
FROM catalog_product;
SELECT catalog_search_learn((SELECT array_agg(name) FROM catalog_product));
DROP INDEX IF EXISTS product_search;
"""
BACK = r"""
DROP TRIGGER catalog_search_added ON catalog_product;
DROP TRIGGER catalog_search_changed ON catalog_product;
DROP TRIGGER catalog_search_removed ON catalog_product;
DROP TRIGGER catalog_search_emptied ON catalog_product;
DROP FUNCTION catalog_search_added, catalog_search_changed, catalog_search_removed,
    catalog_search_emptied, catalog_search_learn;
DROP TABLE catalog_searchentry, catalog_searchword;
DROP FUNCTION catalog_search_vector, catalog_search_near, catalog_search_fold,
    catalog_search_plain;
DROP TEXT SEARCH CONFIGURATION catalog_search;
DROP TEXT SEARCH DICTIONARY catalog_stem;
"""


def create_trigrams(state, editor):
    if editor.connection.alias != searching.DATABASE:
        return
    if reason := searching.create_index(editor.connection.alias):
        sys.stderr.write(f"\n  No trigrams for the search ({reason}). {searching.HINT}\n")


class Migration(migrations.Migration):
    dependencies = [("catalog", "0005_feed_versions")]

    operations = [
        migrations.RunSQL(FUNCTIONS + TABLES + TRIGGERS + EXISTING, BACK),
        migrations.RunPython(create_trigrams, migrations.RunPython.noop, elidable=False),
    ]
