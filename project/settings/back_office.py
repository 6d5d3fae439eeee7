"""How the back office looks, and what it calls slow or low."""

from project import env

# --- dashboard ---------------------------------------------------------------------------------
# Fewer available pieces than this is low stock; a live saga older than so many seconds is slow.
LOW_STOCK_BELOW = env.env.int("LOW_STOCK_BELOW", 5)
SLOW_SAGA_SECONDS = env.env.float("SLOW_SAGA_SECONDS", 60.0)

# --- admin -------------------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": "Holdfast",
    "SITE_HEADER": "Holdfast",
    "SITE_SUBHEADER": "Back office",
    "SITE_SYMBOL": "anchor",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "project.navigation.favicon"}
    ],
    "STYLES": ["project.navigation.desk_styles"],
    "SITE_DROPDOWN": "project.navigation.shop_links",
    "SHOW_VIEW_ON_SITE": False,
    "LOGIN": {"form": "apps.customers.forms.StaffLoginForm"},
    "ACCOUNT": {"navigation": "project.navigation.account_links"},
    "SIDEBAR": {"show_search": True, "navigation": "project.navigation.sidebar"},
    "COLORS": {
        "primary": {
            "50": "oklch(98.4% .014 180.72)",
            "100": "oklch(95.3% .051 180.801)",
            "200": "oklch(91% .096 180.426)",
            "300": "oklch(85.5% .138 181.071)",
            "400": "oklch(77.7% .152 181.912)",
            "500": "oklch(60% .118 184.704)",
            "600": "oklch(51.1% .096 186.391)",
            "700": "oklch(43.7% .078 188.216)",
            "800": "oklch(38.6% .063 188.416)",
            "900": "oklch(33% .046 192.524)",
            "950": "oklch(27.7% .046 192.524)",
        }
    },
}
