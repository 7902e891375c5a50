#!/usr/bin/python3
"""A Secret Service with one locked item, for states that gnome-keyring cannot be put into.

    secret_service.py dismiss    its prompt is closed
    secret_service.py die        it exits while it handles a call

Needs python3-gi. It is ready once its name is on the bus of DBUS_SESSION_BUS_ADDRESS.
"""

import os
import sys

from gi.repository import Gio, GLib

FAULT = sys.argv[1]
ROOT = "/org/freedesktop/secrets"
ITEM, PROMPT = f"{ROOT}/collection/login/1", f"{ROOT}/prompt/1"
SERVICE, PROMPTS = Gio.DBusNodeInfo.new_for_xml(
    """<node>
    <interface name="org.freedesktop.Secret.Service">
      <method name="OpenSession">
        <arg type="s" direction="in"/><arg type="v" direction="in"/>
        <arg type="v" direction="out"/><arg type="o" direction="out"/>
      </method>
      <method name="SearchItems">
        <arg type="a{ss}" direction="in"/><arg type="ao" direction="out"/><arg type="ao" direction="out"/>
      </method>
      <method name="Unlock">
        <arg type="ao" direction="in"/><arg type="ao" direction="out"/><arg type="o" direction="out"/>
      </method>
    </interface>
    <interface name="org.freedesktop.Secret.Prompt">
      <method name="Prompt"><arg type="s" direction="in"/></method>
      <signal name="Completed"><arg type="b"/><arg type="v"/></signal>
    </interface></node>"""
).interfaces


def answer(bus, _sender, _path, _interface, method, _arguments, invocation):
    if method == "OpenSession":
        # Any number is a public key; no secret is ever sent.
        key = GLib.Variant("ay", bytes([7] * 128))
        invocation.return_value(GLib.Variant("(vo)", (key, f"{ROOT}/session/1")))
    elif method == "SearchItems":
        invocation.return_value(GLib.Variant("(aoao)", ([], [ITEM])))
    elif method == "Unlock" and FAULT == "die":
        os._exit(1)
    elif method == "Unlock":
        invocation.return_value(GLib.Variant("(aoo)", ([], PROMPT)))
    elif method == "Prompt":
        invocation.return_value(None)
        result = GLib.Variant("(bv)", (True, GLib.Variant("s", "")))
        bus.emit_signal(None, PROMPT, "org.freedesktop.Secret.Prompt", "Completed", result)


bus = Gio.bus_get_sync(Gio.BusType.SESSION)
bus.register_object(ROOT, SERVICE, answer)
bus.register_object(PROMPT, PROMPTS, answer)
Gio.bus_own_name_on_connection(bus, "org.freedesktop.secrets", Gio.BusNameOwnerFlags.NONE)
GLib.MainLoop().run()
