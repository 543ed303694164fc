"""Names as one meets them on South Africa's east coast, by mother tongue."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """First and last names that go together; ``share`` is how often, of 100 households."""

    share: int
    women: tuple[str, ...]
    men: tuple[str, ...]
    families: tuple[str, ...]


def _names(share: int, women: str, men: str, families: str) -> Names:
    return Names(share, tuple(women.split()), tuple(men.split()), tuple(families.split(", ")))


ENGLISH = _names(
    30,
    "Alison Amy Anne Beverley Bronwyn Caitlin Candice Carol Catherine Cheryl Claire Debbie "
    "Diane Emma Fiona Gail Gillian Hayley Heather Helen Jacqui Jane Janet Jenny Jessica Judy "
    "Kate Kerry Kim Kirsten Lauren Lesley Linda Lisa Lynn Megan Michelle Nicole Paige Penny "
    "Robyn Ruth Samantha Sandra Sarah Sharon Sheila Susan Tracey Vanessa Wendy Zoe",
    "Adam Alan Andrew Barry Brett Brian Bruce Byron Callum Cameron Charles Chris Clive Colin "
    "Craig Darren David Dean Derek Doug Duncan Dylan Gareth Garth Gary Geoff Glen Gordon Graeme "
    "Grant Greg Guy Ian James Jason Jeremy John Jonathan Justin Keith Ken Kevin Kyle Lance Liam "
    "Luke Mark Matthew Michael Neil Nicholas Nigel Oliver Patrick Paul Peter Richard Rob Roger "
    "Ross Rory Ryan Scott Sean Shane Simon Stephen Stuart Tim Tom Tony Trevor Warren Wayne",
    "Acutt, Adams, Anderson, Armstrong, Bailey, Baker, Barnes, Bell, Bennett, Black, Brown, "
    "Campbell, Carter, Clark, Collins, Cooper, Crawford, Davies, Dawson, Edwards, Ellis, "
    "Elliott, Evans, Fisher, Foster, Fraser, Gibson, Gordon, Graham, Grant, Gray, Green, "
    "Hamilton, Harris, Harvey, Henderson, Hill, Hughes, Hunter, Jackson, Jenkins, Johnson, "
    "Jones, Kelly, Kennedy, King, Knight, Lawrence, Lewis, MacDonald, Marshall, Martin, Mason, "
    "McKenzie, Miller, Mitchell, Moore, Morgan, Morris, Murray, Nicholson, Palmer, Parker, "
    "Pearson, Phillips, Pringle, Reid, Reynolds, Richards, Roberts, Robinson, Ross, Russell, "
    "Scott, Shaw, Simpson, Smith, Stewart, Taylor, Thompson, Turner, Walker, Watson, Webb, "
    "White, Williams, Wilson, Wood, Wright, Young",
)
INDIAN = _names(
    24,
    "Aarti Anisha Anusha Asha Ashnie Deepa Divya Farhana Fathima Jasmine Kajal Kamala Kavitha "
    "Keshni Kubashni Lavanya Leela Lerisha Mayuri Meera Nadia Nalini Nerisha Nisha Nirvana "
    "Pooja Prashantha Priya Radhika Reshma Roshni Sandhya Sarisha Shamila Shanaaz Shanti "
    "Shireen Sunitha Tasneem Thiresha Vanashree Veni Yasmin Yashica Zaheera",
    "Ahmed Ajay Anand Anesh Ashwin Avesh Deven Dhiren Farouk Haroon Imraan Ismail Jayendra "
    "Kamal Karthik Kiran Kishan Krishen Kubendran Logan Mahomed Manoj Mervyn Naren Navin Neeran "
    "Nitesh Pranav Pravin Rajen Rajesh Rakesh Ravi Riaz Rishi Roshan Sachin Sagren Sanjay "
    "Selvan Shaun Sivan Strini Suren Terence Trishen Vikash Vinesh Vishal Yusuf Zaheer",
    "Abdulla, Achary, Ahmed, Bhagwan, Bhana, Cassim, Chetty, Desai, Dhupelia, Ebrahim, Essop, "
    "Govender, Gounden, Hassan, Jugmohan, Kader, Khan, Lalla, Maharaj, Mahomed, Mistry, "
    "Moodley, Moosa, Mudaly, Munsamy, Naicker, Naidoo, Naidu, Nair, Osman, Paruk, Patel, "
    "Perumal, Pillay, Rajah, Ramdass, Ramlall, Rampersad, Reddy, Sewpersad, Singh, Soni, "
    "Subramoney, Suleman, Thaver, Vawda, Vahed",
)
ZULU = _names(
    24,
    "Ayanda Bongiwe Busisiwe Dudu Fikile Gugu Hlengiwe Jabulile Khanyisile Lindiwe Londiwe "
    "Lungile Mbali Minenhle Mpumelelo Nokukhanya Nokuthula Nolwazi Nomcebo Nomfundo Nompumelelo "
    "Nomusa Nomvula Nonhlanhla Nosipho Nothando Nozipho Phindile Phumzile Samkelisiwe Sibongile "
    "Silindile Simphiwe Sindisiwe Siphokazi Slindile Snenhlanhla Thabile Thandeka Thandi "
    "Thembeka Thobile Thulile Zama Zandile Zanele Zinhle Zodwa",
    "Andile Ayabonga Bandile Bheki Bonginkosi Celumusa Dumisani Jabulani Khulekani Langa "
    "Lindani Lindokuhle Lungelo Lwazi Mandla Mduduzi Menzi Mfundo Mlungisi Mondli Mthokozisi "
    "Musa Muzi Ndumiso Njabulo Nkosinathi Nhlanhla Nkululeko Philani Phumlani Qiniso Sandile "
    "Sanele Sbusiso Senzo Sifiso Sihle Sipho Siyabonga Siyanda Sizwe Sphamandla Sthembiso "
    "Thabani Thabiso Themba Thokozani Thulani Vusi Wandile Xolani Zakhele Zamokuhle",
    "Biyela, Bhengu, Buthelezi, Cele, Dladla, Dlamini, Dube, Duma, Gcabashe, Gumede, Hadebe, "
    "Hlatshwayo, Hlongwane, Jali, Khanyile, Khoza, Khumalo, Kubheka, Kunene, Langa, Luthuli, "
    "Mabaso, Madonsela, Makhathini, Makhanya, Majola, Masondo, Mazibuko, Mbatha, Mbhele, "
    "Mchunu, Mdlalose, Mhlongo, Mkhize, Mngadi, Mngomezulu, Msomi, Mthembu, Mthethwa, Mtshali, "
    "Myeni, Ndaba, Ndlovu, Nene, Ngcobo, Ngubane, Nkosi, Ntuli, Nxumalo, Nyembe, Nzimande, "
    "Phakathi, Radebe, Shabalala, Shezi, Sibiya, Sithole, Vilakazi, Xaba, Xulu, Zondi, Zulu, "
    "Zwane",
)
AFRIKAANS = _names(
    13,
    "Adri Alida Amanda Anelda Anneke Annelie Annemarie Antoinette Bianca Carien Chantelle "
    "Corlia Elmarie Elna Elsabe Elze Esmarie Estelle Hanlie Heleen Hester Ilse Ina Karien Karin "
    "Leonie Liezel Linette Lizelle Madelein Magda Marelize Mariaan Mariette Marlene Marnel "
    "Mieke Nadine Petro Rene Riana Riette Santie Sonja Suné Surina Tersia Yolande Zelda",
    "Albert Andries Anton Barend Bennie Burger Charl Christo Cobus Coenie Corne Danie Dawie "
    "Deon Dewald Dirk Eben Etienne Fanie Francois Frans Frikkie Gawie Gerhard Gert Hannes "
    "Heinrich Hendrik Henk Hennie Herman Izak Jaco Jacques Jan Johan Johann Jopie Juan Kallie "
    "Kobus Koos Leon Louis Marius Morne Nico Nelius Pieter Piet Riaan Rian Roelof Rudi Ruan "
    "Schalk Stefan Stephan Theo Tiaan Tinus Waldo Willem Wynand",
    "Badenhorst, Barnard, Basson, Bester, Beukes, Bezuidenhout, Booysen, Bosch, Boshoff, Botes, "
    "Botha, Brits, Claassen, Cloete, Coetzee, Conradie, Cronje, de Beer, de Bruyn, de Jager, de "
    "Klerk, de Kock, de Villiers, de Wet, Dippenaar, du Plessis, du Preez, du Toit, Els, "
    "Engelbrecht, Erasmus, Esterhuizen, Ferreira, Fouche, Fourie, Geldenhuys, Grobler, "
    "Groenewald, Hattingh, Janse van Rensburg, Jordaan, Joubert, Klopper, Kotze, Kriel, Kruger, "
    "le Roux, Liebenberg, Lombard, Louw, Malan, Marais, Meyer, Mostert, Muller, Naude, Nel, "
    "Oosthuizen, Opperman, Pienaar, Potgieter, Pretorius, Prinsloo, Rossouw, Roux, Scheepers, "
    "Schoeman, Smit, Snyman, Steenkamp, Steyn, Strauss, Strydom, Swanepoel, Swart, Terblanche, "
    "Theron, van den Berg, van der Merwe, van der Walt, van Heerden, van Niekerk, van Rooyen, "
    "van Schalkwyk, van Wyk, van Zyl, Venter, Vermeulen, Viljoen, Visser, Vorster, Vosloo",
)
XHOSA = _names(
    5,
    "Akhona Andiswa Anele Asanda Babalwa Bulelwa Lindelwa Lulama Lumka Mandisa Ncumisa Nobuntu "
    "Nomalanga Nomawethu Nomonde Nontsikelelo Noluthando Nwabisa Pumla Sesethu Siphosethu "
    "Thandokazi Unathi Vuyokazi Vuyiswa Xoliswa Yanga Zikhona Zintle Zukiswa",
    "Akhumzi Anga Athenkosi Avuyile Bantu Bongani Bulelani Khanya Khaya Lonwabo Loyiso Luthando "
    "Luvuyo Luyanda Lwando Makhaya Masixole Mncedisi Monde Mzwandile Ntsika Odwa Onke Phakamile "
    "Sabelo Sakhumzi Siviwe Siyamthanda Solomzi Thando Thembinkosi Unathi Viwe Vukile Vuyo Xola "
    "Zola Zolani",
    "Booi, Dyantyi, Faku, Gqirana, Jack, Jantjies, Kona, Lujabe, Mabandla, Mabuza, Madikizela, "
    "Magona, Makalima, Makinana, Maqoma, Mda, Mfeketo, Mgijima, Mjoli, Mnqayi, Mpahlwa, Mqhayi, "
    "Msimang, Mtshiza, Ngcuka, Ngqula, Njikelana, Nkewu, Nomvete, Ntshinga, Nyathi, Qunta, "
    "Sigcau, Somana, Tshabalala, Tshezi, Tyali, Xuma, Zokwana",
)
SOTHO = _names(
    4,
    "Boitumelo Dikeledi Dineo Itumeleng Kamogelo Karabo Katlego Keabetswe Keitumetse Lebogang "
    "Lerato Lesego Mamello Masego Matshidiso Mmabatho Mosa Mpho Naledi Neo Nthabiseng Oratile "
    "Palesa Pulane Puleng Refilwe Reitumetse Rethabile Tebogo Thato Tshegofatso Tumelo",
    "Kabelo Kagiso Kgosi Kgotso Khotso Lebo Lehlohonolo Lesedi Letlhogonolo Mohau Moeketsi "
    "Mokete Molefi Mothusi Ofentse Oupa Paballo Pule Realeboga Retshepile Sello Tau Tebogo "
    "Teboho Thabang Thabo Thapelo Tiisetso Tlotlo Tshepo Tshiamo Tsietsi Tumisang",
    "Kekana, Kgosana, Khoele, Letsie, Leballo, Lesufi, Mabena, Mahlangu, Makgoba, Makwetla, "
    "Maphosa, Masemola, Mashego, Mathebula, Matlala, Modise, Moeketsi, Mofokeng, Mogale, "
    "Mohlala, Moilwa, Mokoena, Mokgosi, Molapo, Molefe, Moloi, Montsho, Morake, Moroka, "
    "Motaung, Motsepe, Phiri, Pitso, Rakgoale, Sekete, Selebi, Seakamela, Tau, Tladi, Tlhabi, "
    "Tsotetsi",
)

TONGUES = (ENGLISH, INDIAN, ZULU, AFRIKAANS, XHOSA, SOTHO)
