"""Reads one document a line, in base64, and says what expat makes of it: one JSON array a line.

The array holds what is wrong with the document (null where nothing is), how many complete children the root has, and
these children: [name, namespace, [[name, namespace, value] ...], [child or text ...]].
"""

import base64
import json
import sys
import xml.parsers.expat

# A character that no document can hold: expat writes it between namespace and name.
SEPARATOR = "\x01"


def split(name):
    namespace, _, local = name.rpartition(SEPARATOR)
    return [local, namespace]


def parse(data):
    parser = xml.parsers.expat.ParserCreate("UTF-8", SEPARATOR)
    parser.ordered_attributes = True
    parser.buffer_text = True
    stack = []
    complete = []

    def start(name, attributes):
        pairs = zip(attributes[::2], attributes[1::2])
        stack.append([*split(name), [[*split(key), value] for key, value in pairs], []])

    def end(_name):
        element = stack.pop()
        if len(stack) == 1:
            complete.append(element)
        elif stack:
            stack[-1][3].append(element)

    def text(data):
        if len(stack) > 1:
            children = stack[-1][3]
            if children and isinstance(children[-1], str):
                children[-1] += data
            else:
                children.append(data)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    try:
        parser.Parse(data, True)
        return [None, complete]
    except xml.parsers.expat.ExpatError as error:
        return [xml.parsers.expat.errors.messages[error.code], complete]


sys.setrecursionlimit(10_000)
for line in sys.stdin.buffer:
    sys.stdout.write(json.dumps(parse(base64.b64decode(line))) + "\n")
    sys.stdout.flush()
