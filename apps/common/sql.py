"""SQL fragments for migrations."""

from django.db import migrations


def append_only(table: str) -> migrations.RunSQL:
    """Makes ``table`` refuse UPDATE and DELETE.

    The trigger yields only to ``SET holdfast.maintenance = 'on'``, which purges and resets hold.
    """
    function = f"{table}_append_only"
    return migrations.RunSQL(
        f"""
        CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF current_setting('holdfast.maintenance', true) = 'on' THEN
                RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
            END IF;
            RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'restrict_violation';
        END $$;
        CREATE TRIGGER {function} BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION {function}();
        """,
        f"DROP TRIGGER {function} ON {table}; DROP FUNCTION {function}();",
    )
