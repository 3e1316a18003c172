package ctdb

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const response = `<?xml version="1.0" encoding="UTF-8"?>
<ctdb xmlns="http://db.cuetools.net/ns/mmd-1.0#" xmlns:ext="http://db.cuetools.net/ns/ext-1.0#">
 <entry confidence="8" crc32="5457b143" hasparity="http://p.cuetools.net/3117474" id="3117474" npar="8" stride="5880" syndrome="tSkrv39Oah9FufT3Z+uMHQ==" toc="0:16032:32072:47282:62810" trackcrcs="97217ee6 dc8a2af2 338369b1 2eac339c"/>
 <entry confidence="1" crc32="0" id="2" toc="nonsense"/>
 <metadata source="x"><track name="y"/><entry crc32="not one"/></metadata>
</ctdb>
<!-- a comment -->`

func TestParseResponse(t *testing.T) {
	entries, err := ParseResponse([]byte(response))
	if err != nil || len(entries) != 2 {
		t.Fatal(entries, err)
	}
	e := entries[0]
	if e.ID != "3117474" || e.Confidence != 8 || e.CRC != 0x5457b143 || e.ParityURL != "http://p.cuetools.net/3117474" || e.TOC.String() != "0:16032:32072:47282:62810" {
		t.Errorf("%+v", e)
	}
	if diff := cmp.Diff([]uint32{0x97217ee6, 0xdc8a2af2, 0x338369b1, 0x2eac339c}, e.TrackCRCs); diff != "" || len(e.syndrome) != 8 || e.syndrome[0] != 0x29b5 {
		t.Errorf("%s %04x", diff, e.syndrome)
	}
	if _, err := entries[1].TOC.IDs(); err == nil {
		t.Error("nonsense is a table of contents")
	}
	for n := range strings.Index(response, "</ctdb>") {
		if _, err := ParseResponse([]byte(response[:n])); !errors.Is(err, ErrResponse) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	if entries, err := ParseResponse([]byte("<ctdb/>")); err != nil || len(entries) != 0 {
		t.Error(entries, err)
	}
}

func TestBadResponses(t *testing.T) {
	attribute := func(s string) string { return "<ctdb><entry " + s + "/></ctdb>" }
	for name, s := range map[string]string{
		"nothing":            "",
		"text":               "not found",
		"a page":             "<!DOCTYPE html><html><body>404</body></html>",
		"a page without":     "<html><body>404</body></html>",
		"an entity bomb":     `<!DOCTYPE ctdb [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><ctdb><entry id="&b;"/></ctdb>`,
		"an entity":          `<ctdb><entry id="&b;"/></ctdb>`,
		"a file":             `<!DOCTYPE ctdb [<!ENTITY a SYSTEM "file:///etc/passwd">]><ctdb>&a;</ctdb>`,
		"two roots":          "<ctdb/><ctdb/>",
		"nested":             "<ctdb>" + strings.Repeat("<x>", 100) + strings.Repeat("</x>", 100) + "</ctdb>",
		"many entries":       "<ctdb>" + strings.Repeat("<entry/>", maxEntries+1) + "</ctdb>",
		"too long":           "<ctdb>" + strings.Repeat(" ", MaxResponse) + "</ctdb>",
		"another encoding":   `<?xml version="1.0" encoding="UTF-16"?><ctdb/>`,
		"negative":           attribute(`confidence="-1"`),
		"huge":               attribute(`confidence="99999999999999999999"`),
		"long CRC":           attribute(`crc32="123456789"`),
		"CRCs of 100 tracks": attribute(fmt.Sprintf(`trackcrcs="%s"`, strings.Repeat("1 ", 100))),
		"long syndrome":      attribute(fmt.Sprintf(`syndrome="%s"`, strings.Repeat("AAAA", 100))),
		"odd syndrome":       attribute(`syndrome="AA=="`),
		"no base64":          attribute(`parity="!"`),
	} {
		if e, err := ParseResponse([]byte(s)); !errors.Is(err, ErrResponse) {
			t.Errorf("%s: %v, %v", name, e, err)
		}
	}
}

// Parity of another stride is of no use.
func TestOtherStride(t *testing.T) {
	e, err := ParseResponse([]byte(`<ctdb><entry stride="1176" syndrome="tSkrv39Oah9FufT3Z+uMHQ=="/></ctdb>`))
	if err != nil || e[0].syndrome != nil {
		t.Error(e, err)
	}
}

// Older entries state check words: with them behind a column, its syndrome is 0.
func TestCheckWords(t *testing.T) {
	f := gf()
	check := []uint16{1, 0xFFFF, 7, 0x8000, 42, 0, 3, 0xABCD}
	got := syndromeOf(check)
	for i := range got {
		v := got[i] // as if the words of the column had it: moved by the check words, which follow
		v = f.mul(v, f.pow(i*len(check)))
		for j, c := range check {
			v ^= f.mul(c, f.pow(i*(len(check)-1-j)))
		}
		if v != 0 {
			t.Errorf("syndrome %d is %04x", i, v)
		}
	}
}

func TestParseParity(t *testing.T) {
	for _, n := range []int{0, 1, rowBytes * 3, rowBytes*8 - 1, rowBytes*8 + 1, rowBytes * 17} {
		if _, err := ParseParity(make([]byte, n)); !errors.Is(err, ErrParity) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	p, err := ParseParity(make([]byte, 188160))
	if err != nil || p.Words() != 8 {
		t.Error(p, err)
	}
}

func FuzzParseResponse(f *testing.F) {
	f.Add([]byte(response))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := ParseResponse(b)
		if err != nil && (entries != nil || !errors.Is(err, ErrResponse)) {
			t.Error(entries, err)
		}
		for _, e := range entries {
			if len(e.syndrome) > MaxParity || len(e.TrackCRCs) > 99 || e.Confidence < 0 {
				t.Errorf("%+v", e)
			}
		}
	})
}
