package rip

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"spindle/disc"
	"spindle/disc/cdsector"
)

// Sectors of data that never read right come back from what they have in common: with error
// pointers, and without, and the drive is left as it was.
func TestDataByEvidence(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 30)))
	for traits, noise := range map[string]string{
		"": "noisy:300-305:100", "c2-always-zero": "noisy:300-305:80", "no-c2": "noisy:300-305:80", "c2-296-only-last": "noisy:300-305:100",
		"c2-garbage": "noisy:300-305:60", "no-full-toc": "corrupt:300-305", // a cable, which C2 knows nothing of
	} {
		opts := a.options(filepath.Join(t.TempDir(), "x"))
		opts.Retries = 3
		d := a.traits(t, traits, noise)
		res, err := Rip(context.Background(), d, opts)
		if err != nil || len(res.Bad) > 0 || res.Combined != 6 {
			t.Errorf("%s: %v, %d put together, bad %v", traits, err, res.Combined, res.Bad)
			continue
		}
		a.isOn(t, opts)
		if p, err := d.ErrorRecovery(context.Background()); err != nil || p.TransferBlock {
			t.Errorf("%s: the drive is left changed (%v)", traits, err)
		}
	}
}

// Sectors of data of which a drive gives nothing come back as audio, from wherever the drive's read offset puts them,
// where it gives data so.
func TestDataAsAudio(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 33)))
	for query, won := range map[string]int{
		"trait=data-as-audio&fault=read:300-305":                          6,
		"trait=data-as-audio,c2-296-only-last&offset=667&fault=read:300":  1,
		"trait=data-as-audio,no-c2&offset=-1164&fault=read:300-303":       4,
		"trait=data-as-audio,c2-294-garbage&offset=6&fault=read:300-301":  2,
		"trait=data-as-audio,c2-always-zero&offset=48&fault=read:300-302": 3,
		"trait=audio-type-gives-data&fault=read:300-305":                  0,
		"fault=read:300-305": 0,
	} {
		opts := a.options(filepath.Join(t.TempDir(), "x"))
		opts.Retries = 3
		res, err := Rip(context.Background(), a.query(t, query), opts)
		if err != nil || res.Combined != won {
			t.Errorf("%s: %v, %d put together, bad %v", query, err, res.Combined, res.Bad)
			continue
		}
		got, err := os.ReadFile(base(opts.Output) + ".bin")
		if err != nil || won > 0 && !bytes.Equal(got[:madeData*cdsector.Size], a.b[:madeData*cdsector.Size]) {
			t.Errorf("%s: the data are not those of the disc (%v)", query, err)
		}
	}
}

// A drive that gives nothing of damaged sectors is not asked for them again and again.
func TestNoEvidence(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 31)))
	var commands [2]int
	for i, fault := range []string{"read:300-305", "read:300-345"} {
		opts := a.options(filepath.Join(t.TempDir(), "x"))
		opts.Retries = 2
		asked := 0
		opts.Observer = &observer{progress: func(p Progress) {
			if p.Phase == Retrying && p.LBA < madeData && p.Sectors == 0 {
				asked++
			}
		}}
		res, err := Rip(context.Background(), a.traits(t, "", fault), opts)
		if err != nil || res.Combined > 0 {
			t.Fatalf("%v, %+v", err, res)
		}
		commands[i] = asked - 2*2*res.BadSectors() - 2 // the ends of the passes
	}
	if commands[0] != commands[1] || commands[0] > 3*mostMisses {
		t.Errorf("%v commands beside those of the passes", commands)
	}
}

// Whatever a drive gives, no sector is called good that is not the disc's.
func TestEvidenceNeverLies(t *testing.T) {
	a := makeCD(madeVolume(t), rand.New(rand.NewPCG(7, 32)))
	for _, query := range []string{
		"trait=c2-garbage&fault=noisy:300-312:250", "trait=c2-late&fault=noisy:300-312:200", "trait=cache&fault=noisy:300-312:150",
		"fault=noisy:300-312:400", "fault=noisy:300-312:60&fault=corrupt:300-312",
	} {
		opts := a.options(filepath.Join(t.TempDir(), "x"))
		opts.Retries = 2
		res, err := Rip(context.Background(), a.query(t, query), opts)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(base(opts.Output) + ".bin")
		if err != nil {
			t.Fatal(err)
		}
		bad := res.Flaws()
		for i := 0; i < a.sectors(); i++ {
			if _, flawed := bad.At(disc.LBA(i)); !flawed && !bytes.Equal(got[i*cdsector.Size:][:cdsector.Size], a.b[i*cdsector.Size:][:cdsector.Size]) {
				t.Errorf("%s: sector %d is called good", query, i)
			}
		}
	}
}
