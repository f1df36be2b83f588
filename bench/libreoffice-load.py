# Opens, saves and converts each document named by the arguments through one LibreOffice, and prints
# how many milliseconds each took, as JSON. For bench/libreoffice.ts.
import json
import subprocess
import sys
import time

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException

begin = time.monotonic()
subprocess.Popen(['/usr/bin/soffice', '--headless', '--nologo', '--norestore',
                  '--accept=pipe,name=bench;urp;StarOffice.ServiceManager'],
                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
local = uno.getComponentContext()
resolver = local.ServiceManager.createInstanceWithContext('com.sun.star.bridge.UnoUrlResolver', local)
while True:
    try:
        context = resolver.resolve('uno:pipe,name=bench;urp;StarOffice.ComponentContext')
        break
    except NoConnectException:
        if time.monotonic() - begin > 60:
            sys.exit('LibreOffice does not answer')
        time.sleep(0.02)
desktop = context.ServiceManager.createInstanceWithContext('com.sun.star.frame.Desktop', context)
took = {'start': [(time.monotonic() - begin) * 1000], 'open': [], 'save': [], 'convert': []}


def timed(name, action):
    start = time.monotonic()
    result = action()
    took[name].append((time.monotonic() - start) * 1000)
    return result


def option(name, value):
    return PropertyValue(Name=name, Value=value)


for path in sys.argv[1:]:
    url = uno.systemPathToFileUrl(path)
    text = path.endswith('.docx')
    export = option('FilterName', 'writer_pdf_Export' if text else 'calc_pdf_Export')
    document = timed('open', lambda: desktop.loadComponentFromURL(url, '_blank', 0, (option('Hidden', True),)))
    document.setModified(True)
    timed('save', document.store)
    timed('convert', lambda: document.storeToURL(url + '.pdf', (export,)))
    document.close(True)
print(json.dumps(took), flush=True)
try:
    desktop.terminate()
except Exception:  # the bridge goes down with the office
    pass
