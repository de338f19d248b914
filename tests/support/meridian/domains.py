"""The businesses that the generated repository keeps packages for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Domain:
    """One package: what it is about, how its records look, and the rules it has."""

    name: str
    entity: str
    plural: str
    text_field: str
    category_field: str
    categories: tuple[str, str, str]
    amount_field: str
    count_field: str
    states: tuple[str, str, str, str]
    separator: str
    prefix: str
    tiers: tuple[tuple[int, int], ...]
    units: tuple[tuple[str, int], ...]
    days: int
    modulus: int


DOMAINS = (
    Domain(
        "billing",
        "Invoice",
        "invoices",
        "customer",
        "terms",
        ("net10", "net30", "prepaid"),
        "total",
        "lines",
        ("draft", "sent", "paid", "void"),
        ";",
        "INV",
        ((0, 0), (50_000, 2), (200_000, 5)),
        (("cent", 1), ("unit", 100), ("grand", 100_000)),
        30,
        97,
    ),
    Domain(
        "shipping",
        "Parcel",
        "parcels",
        "recipient",
        "service",
        ("ground", "express", "freight"),
        "postage",
        "grams",
        ("labelled", "moving", "delivered", "lost"),
        "|",
        "PCL",
        ((0, 0), (1_000, 3), (5_000, 7)),
        (("gram", 1), ("pound", 454), ("kilogram", 1_000)),
        5,
        11,
    ),
    Domain(
        "inventory",
        "Item",
        "items",
        "title",
        "shelf",
        ("front", "back", "cold"),
        "price",
        "stock",
        ("listed", "held", "sold", "scrapped"),
        "\t",
        "ITM",
        ((0, 0), (12, 4), (144, 9)),
        (("piece", 1), ("dozen", 12), ("gross", 144)),
        14,
        10,
    ),
    Domain(
        "payroll",
        "Payslip",
        "payslips",
        "employee",
        "grade",
        ("junior", "senior", "lead"),
        "gross",
        "hours",
        ("open", "checked", "booked", "revoked"),
        ",",
        "PAY",
        ((0, 10), (200_000, 20), (500_000, 35)),
        (("minute", 1), ("hour", 60), ("shift", 480)),
        28,
        23,
    ),
    Domain(
        "library",
        "Loan",
        "loans",
        "reader",
        "genre",
        ("fiction", "science", "comics"),
        "deposit",
        "pages",
        ("reserved", "lent", "returned", "missing"),
        ";",
        "LON",
        ((0, 0), (300, 1), (900, 3)),
        (("page", 1), ("sheet", 4), ("quire", 48)),
        21,
        13,
    ),
    Domain(
        "fleet",
        "Trip",
        "trips",
        "driver",
        "vehicle",
        ("van", "truck", "bike"),
        "fuel",
        "metres",
        ("planned", "running", "finished", "aborted"),
        "|",
        "TRP",
        ((0, 0), (10_000, 2), (100_000, 6)),
        (("metre", 1), ("kilometre", 1_000), ("mile", 1_609)),
        2,
        17,
    ),
    Domain(
        "clinic",
        "Visit",
        "visits",
        "patient",
        "ward",
        ("surgery", "dental", "general"),
        "fee",
        "minutes",
        ("booked", "arrived", "treated", "missed"),
        ",",
        "VIS",
        ((0, 0), (20, 5), (60, 12)),
        (("minute", 1), ("hour", 60), ("day", 1_440)),
        7,
        19,
    ),
    Domain(
        "events",
        "Ticket",
        "tickets",
        "holder",
        "area",
        ("stalls", "circle", "box"),
        "fare",
        "seats",
        ("held", "bought", "used", "refunded"),
        "\t",
        "TCK",
        ((0, 0), (4, 8), (10, 15)),
        (("seat", 1), ("row", 20), ("block", 200)),
        3,
        29,
    ),
    Domain(
        "energy",
        "Reading",
        "readings",
        "meter",
        "tariff",
        ("day", "night", "weekend"),
        "charge",
        "watthours",
        ("raw", "checked", "billed", "disputed"),
        ";",
        "RDG",
        ((0, 1), (1_000, 2), (10_000, 4)),
        (("watthour", 1), ("kilowatthour", 1_000), ("megawatthour", 1_000_000)),
        90,
        31,
    ),
)
"""Nine packages; the generator adds what the seed decides."""
