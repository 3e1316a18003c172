package ccd

import (
	"bytes"
	"fmt"

	"spindle/disc"
)

// describe makes the .ccd file of a layout.
func describe(l *disc.Layout) []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	tracks := l.Tracks()
	line("[CloneCD]\r\nVersion=3")
	line("[Disc]\r\nTocEntries=%d\r\nSessions=%d\r\nDataTracksScrambled=0\r\nCDTextLength=%d",
		len(tracks)+3*len(l.Sessions), len(l.Sessions), len(l.CDText)*disc.PackSize)
	if l.MCN != "" {
		line("CATALOG=%s", l.MCN)
	}
	for i := range l.Sessions {
		line("[Session %d]\r\nPreGapMode=%d\r\nPreGapSubC=0", i+1, modeCode(&l.Sessions[i].Tracks[0]))
	}
	n := 0
	entry := func(session, point int, control disc.Control, p disc.MSF, plba disc.LBA) {
		line("[Entry %d]\r\nSession=%d\r\nPoint=0x%02x\r\nADR=0x01\r\nControl=0x%02x\r\nTrackNo=0", n, session, point, uint8(control))
		line("AMin=0\r\nASec=0\r\nAFrame=0\r\nALBA=-150\r\nZero=0")
		line("PMin=%d\r\nPSec=%d\r\nPFrame=%d\r\nPLBA=%d", p.M, p.S, p.F, plba)
		n++
	}
	for i := range l.Sessions {
		s := &l.Sessions[i]
		first, last := &s.Tracks[0], &s.Tracks[len(s.Tracks)-1]
		// These two state numbers where the others state times.
		p := disc.MSF{M: first.Number, S: int(s.Format)}
		entry(s.Number, pointFormat, first.Control, p, p.LBA())
		p = disc.MSF{M: last.Number}
		entry(s.Number, pointLast, last.Control, p, p.LBA())
		entry(s.Number, pointLeadOut, last.Control, s.LeadOut.MSF(), s.LeadOut)
		for j := range s.Tracks {
			t := &s.Tracks[j]
			entry(s.Number, t.Number, t.Control, t.Start.MSF(), t.Start)
		}
	}
	for i := range l.Sessions {
		describeTracks(line, &l.Sessions[i])
	}
	if len(l.CDText) > 0 {
		line("[CDText]\r\nEntries=%d", len(l.CDText))
		for i := range l.CDText {
			line("Entry %d=% x", i, l.CDText[i][:disc.PackSize-2])
		}
	}
	return b.Bytes()
}

// describeTracks says what the table of contents does not. Indexes count from the
// start of the disc, in later sessions from the start of the session.
func describeTracks(line func(string, ...any), s *disc.Session) {
	origin := disc.LBA(0)
	if s.Number > 1 {
		origin = s.Tracks[0].Begin()
	}
	for j := range s.Tracks {
		t := &s.Tracks[j]
		line("[TRACK %d]\r\nMODE=%d", t.Number, modeCode(t))
		if t.ISRC != "" {
			line("ISRC=%s", t.ISRC)
		}
		if t.Pregap > 0 {
			line("INDEX 0=%d", t.Begin()-origin)
		}
		line("INDEX 1=%d", t.Start-origin)
		for k, x := range t.Indexes {
			line("INDEX %d=%d", k+2, x-origin)
		}
	}
}

// modeCode is how the format numbers modes.
func modeCode(t *disc.Track) int {
	switch t.Mode {
	case disc.Audio:
		return 0
	case disc.Mode2:
		return 2
	}
	return 1
}
