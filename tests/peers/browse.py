"""Plays the user of a real Chromium: opens a URL, presses a button on the page, and records the last
page.

    browse.py BUTTON REPORT ADDRESS

BUTTON is a CSS selector, REPORT a file that receives title, text and URL as JSON; a screenshot is
written beside it.
"""

import asyncio
import base64
import json
import os
import subprocess
import sys
import tempfile

import aiohttp

CHROMIUM = [
    "chromium",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    # The emulator's own authority.
    "--ignore-certificate-errors",
    "--no-first-run",
    "--disable-background-networking",
    "--window-size=900,600",
    "--remote-debugging-port=0",
]
SHOWN = "JSON.stringify({title: document.title, text: document.body.innerText, address: location.href, ready: document.readyState})"


class Tab:
    def __init__(self, socket):
        self.socket, self.number = socket, 0

    async def call(self, method, **parameters):
        self.number += 1
        await self.socket.send_json({"id": self.number, "method": method, "params": parameters})
        while True:
            answer = await self.socket.receive_json(timeout=60)
            if answer.get("id") == self.number:
                return answer.get("result", {})

    async def evaluate(self, expression):
        result = await self.call("Runtime.evaluate", expression=expression)
        return result.get("result", {}).get("value")

    async def until(self, expression):
        for _ in range(600):
            value = await self.evaluate(expression)
            if value:
                return value
            await asyncio.sleep(0.1)
        raise TimeoutError(expression)


async def browse(button, report, address, profile):
    port_file = os.path.join(profile, "DevToolsActivePort")
    for _ in range(600):
        if os.path.exists(port_file) and open(port_file).read().strip():
            break
        await asyncio.sleep(0.1)
    port = open(port_file).readline().strip()
    async with aiohttp.ClientSession() as session:
        async with session.put(f"http://127.0.0.1:{port}/json/new?about:blank") as answer:
            target = await answer.json(content_type=None)
        async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            tab = Tab(socket)
            await tab.call("Page.enable")
            await tab.call("Page.navigate", url=address)
            press = f"(() => {{ const it = document.querySelector({json.dumps(button)}); if (it) it.click(); return !!it }})()"
            await tab.until(press)
            await tab.until("location.origin.startsWith('http://localhost') && document.readyState == 'complete' && document.title != ''")
            shown = json.loads(await tab.evaluate(SHOWN))
            picture = await tab.call("Page.captureScreenshot", format="png")
            with open(report + ".png", "wb") as file:
                file.write(base64.b64decode(picture["data"]))
            with open(report + ".new", "w") as file:
                json.dump(shown, file)
            os.rename(report + ".new", report)


def main():
    button, report, address = sys.argv[1:]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        chromium = subprocess.Popen(
            [*CHROMIUM, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            asyncio.run(browse(button, report, address, profile))
        finally:
            chromium.kill()
            chromium.wait()


main()
