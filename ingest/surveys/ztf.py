"""ZTF: the fields of its alert packets, from those without a schema version to 4.02, and how they map to tables.

The only file that knows a ZTF field by name unless it serves ZTF alone. Field names and types are those of the
survey's Avro schemas; the meaning of each column stands in its COMMENT in ``sql/schema``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from ingest.cleaning import blank_sentinels, find_long_texts, find_missing
from ingest.decoding import PACKET_INDEX, Wanted
from ingest.healpix import healpix29
from ingest.surveys import Rows, SharedTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingest.decoding import Decoded

__all__ = ["Ztf"]

ARROW_TYPES: dict[str, pa.DataType] = {
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "string": pa.string(),
}


def _fields(text: str) -> dict[str, pa.DataType]:
    """Read a list of ``name:type`` as the survey's schemas name them."""
    return {name: ARROW_TYPES[kind] for name, kind in (field.split(":") for field in text.split())}


# Schema 3.0, in its order; then what 3.1 and 3.3 added.
CANDIDATE = _fields("""
    jd:double fid:int pid:long diffmaglim:float pdiffimfilename:string programpi:string programid:int
    candid:long isdiffpos:string tblid:long nid:int rcid:int field:int xpos:float ypos:float ra:double
    dec:double magpsf:float sigmapsf:float chipsf:float magap:float sigmagap:float distnr:float magnr:float
    sigmagnr:float chinr:float sharpnr:float sky:float magdiff:float fwhm:float classtar:float
    mindtoedge:float magfromlim:float seeratio:float aimage:float bimage:float aimagerat:float
    bimagerat:float elong:float nneg:int nbad:int rb:float ssdistnr:float ssmagnr:float ssnamenr:string
    sumrat:float magapbig:float sigmagapbig:float ranr:double decnr:double sgmag1:float srmag1:float
    simag1:float szmag1:float sgscore1:float distpsnr1:float ndethist:int ncovhist:int jdstarthist:double
    jdendhist:double scorr:double tooflag:int objectidps1:long objectidps2:long sgmag2:float srmag2:float
    simag2:float szmag2:float sgscore2:float distpsnr2:float objectidps3:long sgmag3:float srmag3:float
    simag3:float szmag3:float sgscore3:float distpsnr3:float nmtchps:int rfid:long jdstartref:double
    jdendref:double nframesref:int rbversion:string dsnrms:float ssnrms:float dsdiff:float magzpsci:float
    magzpsciunc:float magzpscirms:float nmatches:int clrcoeff:float clrcounc:float zpclrcov:float zpmed:float
    clrmed:float clrrms:float neargaia:float neargaiabright:float maggaia:float maggaiabright:float
    exptime:float drb:float drbversion:string
""")
PRV_CANDIDATE = _fields("""
    jd:double fid:int pid:long diffmaglim:float programid:int
    candid:long isdiffpos:string tblid:long nid:int rcid:int field:int xpos:float ypos:float ra:double
    dec:double magpsf:float sigmapsf:float chipsf:float magap:float sigmagap:float distnr:float magnr:float
    sigmagnr:float chinr:float sharpnr:float sky:float magdiff:float fwhm:float classtar:float
    mindtoedge:float magfromlim:float seeratio:float aimage:float bimage:float aimagerat:float
    bimagerat:float elong:float nneg:int nbad:int rb:float ssdistnr:float ssmagnr:float ssnamenr:string
    sumrat:float magapbig:float sigmagapbig:float ranr:double decnr:double scorr:double magzpsci:float
    magzpsciunc:float magzpscirms:float clrcoeff:float clrcounc:float rbversion:string
""")
FP_HIST = _fields("""
    field:int rcid:int fid:int pid:long rfid:long sciinpseeing:float scibckgnd:float scisigpix:float
    magzpsci:float magzpsciunc:float magzpscirms:float clrcoeff:float clrcounc:float exptime:float
    adpctdif1:float adpctdif2:float diffmaglim:float programid:int jd:double forcediffimflux:float
    forcediffimfluxunc:float procstatus:string distnr:float ranr:double decnr:double magnr:float
    sigmagnr:float chinr:float sharpnr:float
""")
AFTER_3_0 = ("pdiffimfilename", "programpi", "exptime", "drb", "drbversion")
LIMIT_FIELDS = [
    "pid",
    "diffmaglim",
    "programid",
    "nid",
    "rcid",
    "field",
    "magzpsci",
    "magzpsciunc",
    "magzpscirms",
    "clrcoeff",
    "clrcounc",
]

# What every packet repeats and no table needs: the publisher's name, and file names and investigators of the history.
IGNORED = frozenset({
    "publisher",
    "cutoutScience.fileName",
    "cutoutTemplate.fileName",
    "cutoutDifference.fileName",
    "prv_candidates.pdiffimfilename",
    "prv_candidates.programpi",
})  # fmt: skip

# Characters that fit into the text columns of sql/schema.
TEXT_LIMITS = {
    "objectId": 32,
    "isdiffpos": 1,
    "ssnamenr": 64,
    "rbversion": 32,
    "drbversion": 32,
    "schemavsn": 16,
    "pdiffimfilename": 255,
    "programpi": 128,
    "procstatus": 255,
}
NO_VALUE = -999  # in candidate and prv_candidates, integers too
NO_FORCED_VALUE = -99999  # in fp_hists
REQUIRED = ("objectId", "candid", "jd", "fid", "programid", "ra", "dec")
SIGNS = {"t": "t", "1": "t", "f": "f", "0": "f"}
PUBLIC_PROGRAM = 1
EPOCH = ("objectId", "jd", "fid")


class Ztf:
    """The Zwicky Transient Facility. See `ingest.surveys.Survey`."""

    name = "ztf"
    wanted = Wanted(
        scalars={
            "objectId": pa.string(),
            "candid": pa.int64(),
            "schemavsn": pa.string(),
            **{f"candidate.{name}": kind for name, kind in CANDIDATE.items()},
        },
        arrays={"prv_candidates": PRV_CANDIDATE, "fp_hists": FP_HIST},
        blobs=("cutoutScience.stampData", "cutoutTemplate.stampData", "cutoutDifference.stampData"),
        ignored=IGNORED,
    )
    alert_columns = (
        "objectId",
        *(name for name in CANDIDATE if name not in AFTER_3_0),
        *AFTER_3_0,
        "schemavsn",
        "hpx29",
    )
    limits = SharedTable("alerts_limmag", EPOCH, (*EPOCH, *LIMIT_FIELDS, "packet_candid"))
    history = SharedTable(
        "alerts_prv", ("objectId", "candid"), ("objectId", *PRV_CANDIDATE, "packet_candid"), until_alert=True
    )
    forced = SharedTable(
        "alerts_forced", EPOCH, (*EPOCH, *(name for name in FP_HIST if name not in EPOCH), "packet_candid")
    )
    shared: tuple[SharedTable, ...] = (limits, history, forced)
    cutouts: Mapping[str, str] = {
        "science": "cutoutScience.stampData",
        "template": "cutoutTemplate.stampData",
        "difference": "cutoutDifference.stampData",
    }

    def rows(self, decoded: Decoded) -> Rows:
        """Turn decoded packets into rows. See `ingest.surveys.Survey.rows`."""
        alerts = _alerts(decoded.packets)
        histories = {name: pl.DataFrame(pl.from_arrow(table)) for name, table in decoded.arrays.items()}
        rejects = {**decoded.rejects, **_unusable_history(histories), **_unusable(alerts)}
        if rejects:
            accepted = ~pl.col(PACKET_INDEX).is_in(list(rejects))
            alerts = alerts.filter(accepted)
            histories = {name: frame.filter(accepted) for name, frame in histories.items()}
        alerts = alerts.with_columns(healpix29(alerts["ra"], alerts["dec"]))
        owners = alerts.select(PACKET_INDEX, "objectId", packet_candid="candid")
        prv, forced = histories["prv_candidates"], histories["fp_hists"]
        candid = blank_sentinels(prv.select("candid"), NO_VALUE)["candid"]
        return Rows(
            alerts=alerts.select(PACKET_INDEX, *self.alert_columns),
            shared={
                self.limits.name: _limits(prv.filter(candid.is_null()), owners, self.limits),
                self.history.name: _shared(prv.filter(candid.is_not_null()), owners, self.history, NO_VALUE),
                self.forced.name: _shared(forced, owners, self.forced, NO_FORCED_VALUE),
            },
            rejects=rejects,
        )

    def rights(self, programid: int) -> str:
        """Return `public` for programme 1, `partnership` for all others."""
        return "public" if programid == PUBLIC_PROGRAM else "partnership"


def _alerts(packets: pa.Table) -> pl.DataFrame:
    """Take the columns out of `candidate`; a broker's packet may have its candid in there only."""
    frame = pl.DataFrame(pl.from_arrow(packets))
    renamed = {name: name.removeprefix("candidate.") for name in frame.columns if name.startswith("candidate.")}
    frame = frame.rename({"candid": "top_candid"}).rename(renamed)
    frame = blank_sentinels(frame, NO_VALUE, keep=[PACKET_INDEX])
    return frame.with_columns(pl.coalesce("candid", "top_candid").alias("candid"), _sign())


def _sign() -> pl.Expr:
    """Map the four encodings of isdiffpos to t and f; anything else stays, to be found by its check."""
    return pl.col("isdiffpos").replace(SIGNS)


def _unusable(alerts: pl.DataFrame) -> dict[int, str]:
    reasons = find_long_texts(alerts, TEXT_LIMITS) | find_missing(alerts, REQUIRED)
    checks = {
        "isdiffpos is none of t, f, 1, 0": ~pl.col("isdiffpos").is_in(["t", "f"]),
        "the position is not on the sky (ra 0 to 360, dec -90 to 90)": ~(
            pl.col("ra").is_between(0, 360) & pl.col("dec").is_between(-90, 90)
        ),
        "candid at the top and in candidate differ": pl.col("candid") != pl.col("top_candid"),
    }
    failed = alerts.select(wrong.any().alias(reason) for reason, wrong in checks.items()).row(0, named=True)
    for reason in (reason for reason, found in failed.items() if found):
        reasons |= dict.fromkeys(alerts.filter(checks[reason])[PACKET_INDEX].to_list(), reason)
    return reasons


def _unusable_history(histories: Mapping[str, pl.DataFrame]) -> dict[int, str]:
    reasons: dict[int, str] = {}
    for name, frame in histories.items():
        for packet, reason in find_long_texts(frame, TEXT_LIMITS).items():
            reasons[packet] = f"in {name}: {reason}"
    return reasons


def _limits(entries: pl.DataFrame, owners: pl.DataFrame, table: SharedTable) -> pl.DataFrame:
    """Non-detections: entries without candid; one that has no diffmaglim says nothing."""
    return _shared(entries, owners, table, NO_VALUE).drop_nulls("diffmaglim")


def _shared(entries: pl.DataFrame, owners: pl.DataFrame, table: SharedTable, no_value: int) -> pl.DataFrame:
    """Make rows of a shared table from histories; an entry without time or filter has no key and is left out."""
    fields = [name for name in table.columns if name in entries.columns]
    rows = blank_sentinels(entries.select(PACKET_INDEX, *fields), no_value, keep=[PACKET_INDEX])
    if "isdiffpos" in fields:
        rows = rows.with_columns(_sign())
    rows = rows.join(owners, on=PACKET_INDEX, maintain_order="left").select(PACKET_INDEX, *table.columns)
    return rows.drop_nulls(list(table.key)) if any(rows[name].null_count() for name in table.key) else rows
