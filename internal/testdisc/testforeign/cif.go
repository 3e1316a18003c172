package testforeign

import "encoding/binary"

// A CIFTrack is a track of an image of Easy CD Creator.
type CIFTrack struct {
	Type    int    // 0 audio, 1 mode 1, 2 form 1, 4 mixed forms
	Sectors int    // that are stated
	Data    []byte // of as many, or of 300
	ISRC    string // of audio
}

// CIF makes an image of sessions of tracks.
func CIF(name string, sessions ...[]CIFTrack) *Files {
	le := binary.LittleEndian
	u16 := func(b []byte, v ...int) []byte {
		for _, x := range v {
			b = le.AppendUint16(b, uint16(x))
		}
		return b
	}
	riff := func(kind string, b []byte) []byte {
		out := append(le.AppendUint32([]byte("RIFF"), uint32(4+len(b))), kind...)
		if out = append(out, b...); len(b)%2 == 1 {
			out = append(out, 0)
		}
		return out
	}
	var tracks []CIFTrack
	about := make([]byte, 8)
	for _, s := range sessions {
		tracks = append(tracks, s...)
	}
	title := "A title\x00an artist\x00"
	about = append(u16(about, 16+len(title), len(sessions), len(tracks), 8, 16+len(title), 0, 2, 0), title...)
	for _, s := range sessions {
		kind := 1
		if s[0].Type > 1 {
			kind = 3
		}
		about = u16(about, 18, len(s), 1, 1, 0, kind, 0, 0, 0)
		for _, t := range s {
			more := make([]byte, 272)
			if t.Type == 0 {
				copy(more[205:], t.ISRC)
			}
			about = u16(about, 24+len(more), 0)
			about = le.AppendUint32(about, uint32(t.Sectors))
			about = append(u16(about, 0, t.Type, 0, 0, 0, 4, 0, 2048), more...)
		}
	}
	out := append(riff("imag", make([]byte, 11)), riff("disc", about)...)
	at := len(out) + 12 + 10 + 22*len(tracks)
	places := u16(make([]byte, 8), len(tracks))
	var data []byte
	for _, t := range tracks {
		kind := "info"
		if t.Type == 0 {
			kind = "adio"
		}
		b := riff(kind, t.Data)
		e := append(le.AppendUint32([]byte("RIFF"), uint32(4+len(t.Data))), kind...)
		places = append(le.AppendUint32(append(places, e...), uint32(at+len(data)+8)), make([]byte, 6)...)
		data = append(data, b...)
	}
	f := &Files{}
	f.add(name+".cif", append(append(out, riff("ofs ", places)...), data...))
	return f
}
