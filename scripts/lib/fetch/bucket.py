"""A public bucket of Google's storage: its JSON listing with size and MD5 of each object, and the objects themselves."""

from __future__ import annotations

import base64
import concurrent.futures
import dataclasses
import hashlib
import json
import os
import pathlib
import urllib.parse
from collections.abc import Callable

from . import download
from .errors import FetchError

CONNECTIONS = 8  # books are small: most of the time of each is the answer's first byte


@dataclasses.dataclass(frozen=True)
class Object:
    name: str  # "test/10146.txt"
    size: int
    md5: str  # hexadecimal


def listing_address(address: str, bucket: str, prefix: str, page: str = "") -> str:
    query = {"prefix": prefix, "fields": "items(name,size,md5Hash),nextPageToken", "maxResults": "1000"}
    if page:
        query["pageToken"] = page
    return f"{address.rstrip('/')}/storage/v1/b/{bucket}/o?{urllib.parse.urlencode(query)}"


def object_address(address: str, bucket: str, name: str) -> str:
    return f"{address.rstrip('/')}/{bucket}/{urllib.parse.quote(name)}"


def listing(address: str, bucket: str, prefix: str) -> list[Object]:
    """Every object whose name starts with `prefix`, in the bucket's order."""
    objects, page = [], ""
    while True:
        url = listing_address(address, bucket, prefix, page)
        try:
            answer = json.loads(download.read_small(url))
            for item in answer.get("items", []):
                md5 = base64.b64decode(item["md5Hash"], validate=True).hex()
                objects.append(Object(item["name"], int(item["size"]), md5))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FetchError(f"{url} gives no listing of a bucket ({error!r})") from error
        page = answer.get("nextPageToken", "")
        if not page:
            return objects


def is_object(file: pathlib.Path, wanted: Object) -> bool:
    return file.is_file() and file.stat().st_size == wanted.size and _md5(file) == wanted.md5


def get_objects(
    address: str,
    bucket: str,
    objects: list[Object],
    folder: pathlib.Path,
    scratch: pathlib.Path,
    arrived: Callable[[Object], None],
) -> None:
    """Downloads the objects to folder/NAME, several at a time, each whole, checked and renamed into place; `arrived` is
    told of each. What came of an interrupted one stays in `scratch`."""

    def one(wanted: Object) -> Object:
        target = scratch / pathlib.PurePosixPath(wanted.name).name
        url = object_address(address, bucket, wanted.name)
        download.download(url, target, shown=False)
        if not is_object(target, wanted):
            found = f"{target.stat().st_size:,} bytes with the MD5 {_md5(target)}"
            target.unlink()
            raise FetchError(f"{url} has {found}, not {wanted.size:,} with {wanted.md5} as listed; it was not used")
        os.replace(target, folder / target.name)
        return wanted

    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        tasks = [pool.submit(one, wanted) for wanted in objects]
        try:
            for task in concurrent.futures.as_completed(tasks):
                arrived(task.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _md5(file: pathlib.Path) -> str:
    return hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
