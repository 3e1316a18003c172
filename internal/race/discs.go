package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"spindle/addr"
	"spindle/disc/cdsector"
)

// The discs have so many sectors: few enough for programs in an emulated processor.
const (
	discSectors = 4000
	mixedData   = 2000 // of a mixed disc, before its audio
	pregap      = 150
)

// makeDiscs writes data.iso, data.cue with the same as mode 1, mixed.cue and audio.cue.
func makeDiscs(args []string) error {
	if len(args) != 1 {
		return errors.New("make takes a folder")
	}
	r := rand.New(rand.NewPCG(14, 12))
	user, err := os.ReadFile(filepath.Join(args[0], "data.iso"))
	if err != nil {
		return err
	}
	if len(user)%2048 != 0 || len(user) < discSectors*2048 {
		return fmt.Errorf("data.iso has %d bytes", len(user))
	}
	user = user[:discSectors*2048]
	if err := os.WriteFile(filepath.Join(args[0], "data.iso"), user, 0o666); err != nil {
		return err
	}
	data := encode(user)
	audio := noise(r, discSectors)
	mixed := append(append([]byte{}, data[:mixedData*cdsector.Size]...), make([]byte, pregap*cdsector.Size)...)
	mixed = append(mixed, audio[:discSectors*cdsector.Size-len(mixed)]...)
	track := "  TRACK %02d %s\n    INDEX 01 %s\n"
	return errors.Join(
		write(args[0], "data", data, fmt.Sprintf(track, 1, "MODE1/2352", "00:00:00")),
		write(args[0], "mixed", mixed, fmt.Sprintf(track, 1, "MODE1/2352", "00:00:00")+
			fmt.Sprintf("  TRACK 02 AUDIO\n    INDEX 00 %s\n    INDEX 01 %s\n", msf(mixedData), msf(mixedData+pregap))+
			fmt.Sprintf(track, 3, "AUDIO", msf(3000))),
		write(args[0], "audio", audio, fmt.Sprintf(track, 1, "AUDIO", "00:00:00")+fmt.Sprintf(track, 2, "AUDIO", msf(1500))+
			fmt.Sprintf(track, 3, "AUDIO", msf(3000))),
	)
}

func msf(n int) string { return addr.Frames(n).String() }

func write(dir, name string, sectors []byte, tracks string) error {
	cue := fmt.Sprintf("FILE \"%s.bin\" BINARY\n%s", name, tracks)
	return errors.Join(os.WriteFile(filepath.Join(dir, name+".bin"), sectors, 0o666),
		os.WriteFile(filepath.Join(dir, name+".cue"), []byte(strings.ReplaceAll(cue, "\n", "\r\n")), 0o666))
}

// encode makes sectors of mode 1.
func encode(user []byte) []byte {
	var all []byte
	for i := range len(user) / 2048 {
		var s [cdsector.Size]byte
		copy(s[16:], user[i*2048:][:2048])
		cdsector.SetSync(&s)
		cdsector.SetHeader(&s, addr.Frames(i+addr.Pregap), 1)
		cdsector.Seal(&s, cdsector.Mode1)
		all = append(all, s[:]...)
	}
	return all
}

// noise is audio in which no piece is like another.
func noise(r *rand.Rand, sectors int) []byte {
	b := make([]byte, sectors*cdsector.Size)
	level := 0
	for i := 0; i < len(b); i += 2 {
		level = level*7/8 + r.IntN(4001) - 2000
		b[i], b[i+1] = byte(level), byte(level>>8)
	}
	return b
}
