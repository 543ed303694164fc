"""Towns and suburbs with their street postal codes, as the South African Post Office has them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    suburb: str
    city: str
    province: str
    postal_code: str
    weight: int = 1


KZN = "KwaZulu-Natal"
# A morning's drive from the first tee; members live here.
NEAR = (
    Place("Port Zimbali", "Ballito", KZN, "4420", 10),
    Place("Shaka's Rock", "Ballito", KZN, "4420", 8),
    Place("Compensation Beach", "Ballito", KZN, "4420", 8),
    Place("Salt Rock", "Dolphin Coast", KZN, "4391", 7),
    Place("Sheffield Beach", "Dolphin Coast", KZN, "4420", 5),
    Place("Stanger Manor", "KwaDukuza", KZN, "4450", 5),
    Place("Gledhow", "KwaDukuza", KZN, "4450", 2),
    Place("Westbrook", "Tongaat", KZN, "4400", 3),
    Place("Belgate", "Tongaat", KZN, "4400", 4),
    Place("Umhlanga Ridge", "Umhlanga", KZN, "4319", 8),
    Place("Umhlanga Rocks", "Umhlanga", KZN, "4319", 6),
    Place("La Lucia", "Durban", KZN, "4051", 6),
    Place("Durban North", "Durban", KZN, "4051", 7),
    Place("Mount Edgecombe", "Durban", KZN, "4302", 5),
    Place("Verulam Central", "Verulam", KZN, "4339", 4),
    Place("Phoenix", "Durban", KZN, "4068", 4),
    Place("Morningside", "Durban", KZN, "4001", 5),
    Place("Glenwood", "Durban", KZN, "4001", 3),
    Place("Musgrave", "Durban", KZN, "4001", 3),
    Place("Westville", "Durban", KZN, "3629", 4),
    Place("Kloof", "Durban", KZN, "3610", 2),
    Place("Chatsworth", "Durban", KZN, "4092", 2),
)
# Where visitors come from.
FAR = (
    Place("Bryanston", "Johannesburg", "Gauteng", "2191", 7),
    Place("Sandown", "Sandton", "Gauteng", "2196", 6),
    Place("Ferndale", "Randburg", "Gauteng", "2194", 4),
    Place("Bedfordview", "Germiston", "Gauteng", "2007", 3),
    Place("Garsfontein", "Pretoria", "Gauteng", "0081", 4),
    Place("Waterkloof", "Pretoria", "Gauteng", "0181", 3),
    Place("Zwartkop", "Centurion", "Gauteng", "0157", 3),
    Place("Scottsville", "Pietermaritzburg", KZN, "3201", 6),
    Place("Merrivale", "Howick", KZN, "3290", 4),
    Place("Arboretum", "Richards Bay", KZN, "3900", 4),
    Place("Empangeni Central", "Empangeni", KZN, "3880", 3),
    Place("Margate Beach", "Margate", KZN, "4275", 2),
    Place("Gardens", "Cape Town", "Western Cape", "8001", 3),
    Place("Claremont", "Cape Town", "Western Cape", "7708", 3),
    Place("Mostertsdrift", "Stellenbosch", "Western Cape", "7600", 1),
    Place("Heather Park", "George", "Western Cape", "6529", 1),
    Place("Walmer", "Gqeberha", "Eastern Cape", "6070", 2),
    Place("Vincent", "East London", "Eastern Cape", "5247", 2),
    Place("Westdene", "Bloemfontein", "Free State", "9301", 2),
    Place("Sonheuwel", "Mbombela", "Mpumalanga", "1201", 2),
    Place("Bendor", "Polokwane", "Limpopo", "0699", 1),
)
STREETS = (
    "Acacia Road", "Albatross Avenue", "Ashley Road", "Bamboo Lane", "Basil Hulett Drive",
    "Bougainvillea Close", "Burnedale Place", "Colwyn Drive", "Compensation Road",
    "Coral Tree Crescent", "Dolphin Crescent", "Egret Lane", "Fairway Drive", "Flamboyant Road",
    "Garden Road", "Hibiscus Avenue", "Hillside Road", "Jack Powell Road", "Jacaranda Street",
    "Kingfisher Crescent", "Link Road", "Mahatma Gandhi Street", "Main Road", "Marine Drive",
    "Milkwood Drive", "Moses Kotane Road", "Ocean View Road", "Osborne Drive", "Palm Avenue",
    "Peter Mokaba Ridge", "Ridge Road", "Sandra Road", "Seaview Avenue", "Strelitzia Lane",
    "Sunbird Close", "Umdoni Road", "Valley Road", "Weaver Close", "Willard Beach Road",
    "Yellowwood Road", "",
)  # fmt: skip
