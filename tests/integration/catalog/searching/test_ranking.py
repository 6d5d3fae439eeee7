"""What is found, and in which order."""

import pytest
from moneyed import Money

from apps.catalog import categories, searching, services
from apps.catalog.models import Product

pytestmark = pytest.mark.django_db(databases=["default", "catalog"])


def find(text: str, **more) -> searching.Found:
    return searching.search(text=text, limit=more.pop("limit", 10), **more)


def names(text: str, **more) -> list[str]:
    return [one.name for one in find(text, **more).page]


def product(name: str, *, sku: str, description: str = "", shelf: int | None = None) -> Product:
    price = Money(5, "GBP")
    return services.product_create(
        sku=sku, name=name, price=price, description=description, category_id=shelf
    )


class TestOneShop:
    @pytest.fixture(autouse=True)
    def _products(self, db):
        tea = categories.category_create(name="Tea Things")
        pots = categories.category_create(name="Pots", parent_id=tea.pk)
        product("Blue Cup", sku="CUP-1", description="For tea.")
        product("Tea Caddy", sku="TIN-7")
        product("Large Tea Caddy of Tin", sku="TIN-8")
        product("Brown Betty", sku="BET-85123A", shelf=pots.pk)
        product("Café Crème T-Light", sku="LIGHT 4")
        product("Children's Apron", sku="APR-12")
        product("Set of 6 Hearts", sku="SET6")

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            # Name, then SKU and category (with those above it), then description.
            ("tea", ["Tea Caddy", "Large Tea Caddy of Tin", "Brown Betty", "Blue Cup"]),
            ("TEA caddy", ["Tea Caddy", "Large Tea Caddy of Tin"]),
            ("caddies", ["Tea Caddy", "Large Tea Caddy of Tin"]),
            ("tin", ["Large Tea Caddy of Tin", "Tea Caddy"]),
            ("tin-7", ["Tea Caddy"]),
            ("TIN7", ["Tea Caddy"]),
            ("85123", ["Brown Betty"]),
            ("BET-85123A", ["Brown Betty"]),
            ("things pots", ["Brown Betty"]),
            ("cafe creme", ["Café Crème T-Light"]),
            ("CAFÉ", ["Café Crème T-Light"]),
            ("t-light", ["Café Crème T-Light"]),
            ("childrens", ["Children's Apron"]),
            ("children’s apron", ["Children's Apron"]),
            ("set 6", ["Set of 6 Hearts"]),
            ("set of heart", ["Set of 6 Hearts"]),
            ("of", ["Set of 6 Hearts", "Large Tea Caddy of Tin"]),
            ("capp", []),
            ("cadd", ["Tea Caddy", "Large Tea Caddy of Tin"]),
            ("!!!", []),
            ("tea & !caddy | (:*)", ["Tea Caddy", "Large Tea Caddy of Tin"]),
            ("_ea", []),
            ("'; DROP TABLE x --", []),
        ],
    )
    def test_words_find(self, text, found):
        assert names(text) == found

    def test_the_whole_sku_comes_before_everything(self):
        product("Cup 1 Cup 1", sku="X-1")
        assert names("cup-1") == ["Blue Cup", "Cup 1 Cup 1"]

    def test_any_word_counts_where_nothing_has_all(self):
        found = find("betty apron")
        assert (found.relaxed, {one.name for one in found.page}) == (
            True,
            {"Brown Betty", "Children's Apron"},
        )
        assert not find("tea caddy").relaxed

    @pytest.mark.parametrize(
        ("text", "found", "meant"),
        [
            ("cady", "Tea Caddy", "caddy"),
            ("tae caddy", "Tea Caddy", "tea caddy"),
            ("heatrs", "Set of 6 Hearts", "hearts"),
            ("chldrens apron", "Children's Apron", "childrens apron"),
            ("krown", "Brown Betty", "brown"),
            ("caddy", "Tea Caddy", None),
        ],
    )
    def test_a_slip_is_forgiven_and_told(self, text, found, meant):
        answer = find(text)
        assert (answer.page[0].name, answer.corrected) == (found, meant)

    def test_a_slip_that_makes_another_word(self):
        product("Ten Spoons", sku="SP-10")
        assert names("ten") == ["Ten Spoons"]
        answer = find("ten caddy")
        assert (answer.page[0].name, answer.corrected) == ("Tea Caddy", "tea caddy")

    def test_what_is_not_for_sale_is_not_found(self):
        cup = Product.objects.get(sku="CUP-1")
        services.product_change(product_pk=cup.pk, version=1, changes={"active": False})
        assert names("blue cup") == []
        services.product_change(product_pk=cup.pk, version=2, changes={"active": True})
        assert names("blue cup") == ["Blue Cup"]
        services.product_delete(product_pk=cup.pk)
        assert names("blue cup") == []
        services.product_restore(product_pk=cup.pk)
        assert names("blue cup") == ["Blue Cup"]

    def test_a_category_is_found_by_its_present_name(self):
        tea = categories.category_create(name="Spare")
        betty = Product.objects.get(name="Brown Betty")
        services.product_change(product_pk=betty.pk, version=1, changes={"category_id": tea.pk})
        assert names("pots") == []
        assert names("spare") == ["Brown Betty"]
        categories.category_change(
            category_id=tea.pk, version=1, name="Garden", slug="garden", parent_id=None
        )
        assert names("garden brown") == ["Brown Betty"]


def test_nothing_found_suggests_something(real_names):
    found = find("xqzzw")
    assert (found.total, found.page, found.categories, found.prices) == (0, (), (), ())
    assert found.suggestions == find("kkkk").suggestions
    assert len(found.suggestions) == 5
    assert all(find(one).total for one in found.suggestions)


def test_slips_in_real_names_are_forgiven(real_names):
    from bench.search.questions import questions, recall

    shares = []
    for one in questions(real_names, 100, misspelt_every=1):
        found, wanted = find(one.asked, facets=False), find(one.meant, facets=False)
        shares.append(
            recall([hit.product_id for hit in found.page], [hit.product_id for hit in wanted.page])
        )
    assert sum(shares) / len(shares) >= 0.97
