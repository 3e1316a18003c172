package sim

import (
	"testing"

	"spindle/scsi"
)

// Any command, with any buffer, on a drive with any trait and any disc: no crash,
// and no more bytes than there is room for.
func FuzzTraits(f *testing.F) {
	f.Add(readCD(460, 4, 1, 0x12, 1), []byte{1, 2, 3}, uint8(0), uint8(0), true)
	f.Add([]byte{0x5D, 0, 0, 0, 0, 0, 0, 0, 16, 0}, []byte("\x01\x00\x00\x41\x00\x00\x00\x00\x01\xAA\x01\x01\x00\x00\x0A\x00"), uint8(1), uint8(20), false)
	f.Add([]byte{0x43, 0, 2, 0, 0, 0, 1, 0, 40, 0}, make([]byte, 40), uint8(2), uint8(50), true)
	f.Add(cdb10(0x2A, 0, 32), make([]byte, 32*2048), uint8(8), uint8(45), false)
	f.Add([]byte{0x03, 0, 0, 0, 18, 0}, make([]byte, 18), uint8(9), uint8(38), true)
	names, traits := append(MediaNames(), ""), Traits()
	f.Fuzz(func(t *testing.T, cdb, data []byte, media, trait uint8, in bool) {
		name := names[int(media)%len(names)]
		if name != "" && !CanWrite(name) {
			t.Skip()
		}
		u := traits[int(trait)%len(traits)]
		text := u.Name
		if u.Argument != "" && u.Usual == "" {
			text += ":0-100"
		}
		p := newProbe(t, name, text)
		p.load()
		if name != "" {
			p.write(0)
		}
		c := &scsi.Command{CDB: cdb, Direction: scsi.Out, Data: data}
		if in {
			c.Direction = scsi.In
		}
		for range 3 {
			n, err := p.d.Execute(t.Context(), c)
			if n < 0 || n > len(data) {
				t.Fatalf("%d bytes of %d", n, len(data))
			}
			if s := scsi.SenseOf(err); s != nil && len(s.Raw) == 0 {
				t.Fatal("no sense data")
			}
		}
		p.do(0x35)
		p.do(0x5B, 0, 2)
		if err := p.d.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
