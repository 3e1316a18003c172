package burn

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"spindle/drive"
	"spindle/scsi"
	"spindle/scsi/mmc"
	"spindle/scsi/sim"
)

// quirky is a drive with traits.
func quirky(t testing.TB, r *sim.Recordable, traits ...string) *mmc.Drive {
	t.Helper()
	return mmc.New(quirkyDevice(t, r, traits...))
}

func quirkyDevice(t testing.TB, r *sim.Recordable, traits ...string) *sim.Drive {
	t.Helper()
	cfg := sim.Config{Disc: r}
	for _, s := range traits {
		trait, err := sim.ParseTrait(s)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Traits = append(cfg.Traits, trait)
	}
	return sim.New(cfg)
}

// few are media of each way of writing.
var few = []string{"cd-r", "dvd-r", "dvd+r", "dvd+rw", "bd-r", "bd-re"}

// What adapters and drives do in the middle of a burn, and what is no reason to end it.
func TestStumbles(t *testing.T) {
	for _, trait := range []string{"residual-on-write", "buffer-capacity-transport-error", "sequence-error-in-write", "aborted-command-in-write",
		"short-write-hidden"} {
		for _, m := range few {
			t.Run(trait+"/"+m, func(t *testing.T) {
				r := blank(t, m, 50000)
				src := sourceFor(t, m, 900)
				_, res, err := burnOn(t, quirky(t, r, trait), src, Options{})
				if trait == "short-write-hidden" { // nobody can know before the next WRITE
					if err == nil && res.Err == nil && res.Verification.OK() {
						t.Error("success is reported of a disc that lacks sectors")
					}
					return
				}
				if err != nil || res.Err != nil || !res.Verification.OK() {
					t.Fatal(err, res.Err, res.Verification)
				}
				equalDisc(t, r, src.image, 0)
			})
		}
	}
}

// A WRITE whose answer was lost on the way: the drive says what it took of it.
func TestLostAnswer(t *testing.T) {
	for _, lost := range []error{fmt.Errorf("WRITE (10): %w", scsi.ErrTransport), senseError(scsi.AbortedCommand, 0x47, 0x03), senseError(scsi.HardwareError, 0x08, 0)} {
		for _, takes := range []bool{false, true} {
			for _, m := range few {
				t.Run(fmt.Sprintf("%v/%t/%s", lost, takes, m), func(t *testing.T) {
					r := blank(t, m, 50000)
					src := sourceFor(t, m, 900)
					dev := sim.New(sim.Config{Disc: r})
					writes := 0
					d := mmc.New(&meddler{dev, func(c *scsi.Command) (int, error, bool) {
						if scsi.Opcode(c.CDB[0]) != scsi.OpWrite10 {
							return 0, nil, false
						}
						if writes++; writes != 12 {
							return 0, nil, false
						}
						if takes {
							if _, err := dev.Execute(context.Background(), c); err != nil {
								return 0, err, true
							}
						}
						return 0, lost, true
					}})
					_, res, err := burnOn(t, d, src, Options{})
					if err != nil {
						t.Fatal(err)
					}
					if res.Err != nil || !res.Verification.OK() {
						t.Fatal(res.Err, res.Verification)
					}
					equalDisc(t, r, src.image, 0)
				})
			}
		}
	}
}

// An adapter that reports a residue of every WRITE, and a drive that tells late where
// writing continues: what is refused the second time was taken the first time.
func TestResidueAndLateAddress(t *testing.T) {
	for m, o := range map[string]Options{"dvd-r": {}, "dvd+r": {}, "bd-r": {}, "cd-r": {Mode: TrackAtOnce}} {
		t.Run(m, func(t *testing.T) {
			r := blank(t, m, 50000)
			src := sourceFor(t, m, 900)
			dev := sim.New(sim.Config{Disc: r})
			late := uint32(0)
			d := mmc.New(&meddler{dev, func(c *scsi.Command) (int, error, bool) {
				op := scsi.Opcode(c.CDB[0])
				if op != scsi.OpWrite10 && (op != scsi.OpReadTrackInformation || late == 0) {
					if op == scsi.OpSynchronizeCache {
						late = 0
					}
					return 0, nil, false
				}
				n, err := dev.Execute(context.Background(), c)
				switch {
				case err != nil:
				case op == scsi.OpWrite10:
					late, n = binary.BigEndian.Uint32(c.CDB[2:]), n-16
					if m == "cd-r" && int(late)+len(c.Data)/2048 >= 900 {
						late = 0 // flushing ends a track at once: nothing shows then what it lacks
					}
				case n >= 16:
					binary.BigEndian.PutUint32(c.Data[12:], late)
				}
				return n, err, true
			}})
			_, res, err := burnOn(t, d, src, o)
			if err != nil || res.Err != nil || !res.Verification.OK() {
				t.Fatal(err, res.Err, res.Verification)
			}
			equalDisc(t, r, src.image, 0)
		})
	}
}

// An error of an earlier WRITE that comes with the question about the buffer ends the
// burn there; any other error of the question does not.
func TestDeferredWithBuffer(t *testing.T) {
	for _, deferred := range []bool{true, false} {
		for _, m := range few {
			src := sourceFor(t, m, 20000)
			asked, writes := 0, 0
			d := meddled(blank(t, m, 50000), func(c *scsi.Command) (int, error, bool) {
				switch scsi.Opcode(c.CDB[0]) {
				case scsi.OpWrite10:
					writes++
				case scsi.OpReadBufferCapacity:
					if asked++; asked == 2 {
						writes = 0
						return 0, &scsi.CheckCondition{Sense: scsi.Sense{Key: scsi.MediumError, ASC: 0x0C, Deferred: deferred}}, true
					}
				}
				return 0, nil, false
			})
			_, res, err := burnOn(t, d, src, Options{})
			if err != nil || asked < 2 {
				t.Fatal(m, err, asked)
			}
			var failed *Error
			ended := errors.As(res.Err, &failed) && failed.Writing() && drive.Classify(res.Err) == drive.Deferred && writes == 0
			if ended != deferred || !deferred && (res.Err != nil || !res.Verification.OK()) {
				t.Errorf("%s, deferred %t: %v, and %d WRITEs after it", m, deferred, res.Err, writes)
			}
		}
	}
}

// A drive that says that it is ready is ready, whatever progress it states beside:
// that of a format in the background, or one that never changes.
func TestReadyDespiteProgress(t *testing.T) {
	for _, trait := range []string{"progress-background", "progress-stuck"} {
		for _, m := range append([]string{"cd-rw"}, few...) {
			t.Run(trait+"/"+m, func(t *testing.T) {
				takes := func(traits ...string) time.Duration {
					d := quirky(t, blank(t, m, 2000000), traits...)
					began := d.Clock().Now()
					_, res, err := burnOn(t, d, sourceFor(t, m, 900), Options{})
					if err != nil || res.Err != nil || !res.Verification.OK() {
						t.Fatal(err, res.Err, res.Verification)
					}
					return d.Clock().Now().Sub(began)
				}
				if usual, now := takes(), takes(trait); now > usual+time.Minute {
					t.Errorf("it took %s, and not %s", now, usual)
				}
			})
		}
	}
}

// Drives hold every command while they write a lead-in or calibrate; a limit that
// passes resets them, and spoils the disc.
func TestHeldCommands(t *testing.T) {
	for _, trait := range []string{"slow-lead-in:45", "slow-lead-in:190", "get-configuration-takes:50"} {
		for _, m := range few {
			t.Run(trait+"/"+m, func(t *testing.T) {
				r := blank(t, m, 50000)
				src := sourceFor(t, m, 900)
				_, res, err := burnOn(t, quirky(t, r, trait), src, Options{})
				if err != nil || res.Err != nil || !res.Verification.OK() {
					t.Fatal(err, res.Err, res.Verification)
				}
			})
		}
	}
}

// An adapter that never says that the drive is ready does not hold up a burn.
func TestNeverReady(t *testing.T) {
	for _, m := range append([]string{"cd-rw"}, few...) {
		d := quirky(t, blank(t, m, 50000), "not-ready-04-00")
		began := d.Clock().Now()
		_, res, err := burnOn(t, d, sourceFor(t, m, 900), Options{})
		if err != nil || res.Err != nil || !res.Verification.OK() {
			t.Fatal(m, err, res.Err, res.Verification)
		}
		if took := d.Clock().Now().Sub(began); took > 20*time.Minute {
			t.Errorf("%s: it took %s", m, took)
		}
	}
}

// Refusals of drives that are no reason to fail.
func TestTolerated(t *testing.T) {
	for _, test := range []struct {
		trait, media string
		o            Options
		notes        int
	}{
		{"close-000-sequence-error", "dvd+rw", Options{}, 0},
		{"opc-refused", "cd-r", Options{}, 1},
		{"close-refused-after-test-write", "cd-r", Options{Simulate: true, Mode: TrackAtOnce}, 0},
		{"close-refused-after-test-write", "dvd-r", Options{Simulate: true, Mode: Incremental}, 0},
		{"features-not-current-on-closed-rw", "cd-rw", Options{Blank: true}, 0},
		{"features-not-current-on-closed-rw", "cd-rw", Options{Blank: true, Mode: Raw96}, 0},
		{"features-not-current-on-closed-rw", "dvd-rw", Options{Blank: true}, 0},
		{"features-not-current-on-closed-rw", "dvd-rw", Options{Blank: true, Multi: true}, 0},
	} {
		t.Run(fmt.Sprint(test.trait, " ", test.media, " ", test.o), func(t *testing.T) {
			r := blank(t, test.media, 50000)
			src := sourceFor(t, test.media, 900)
			if test.o.Blank {
				if _, res, err := burnOn(t, recorder(r), src, Options{}); err != nil || res.Err != nil {
					t.Fatal(err, res.Err)
				}
			}
			d := quirky(t, r, test.trait)
			m, err := Survey(context.Background(), d)
			if err != nil {
				t.Fatal(err)
			}
			if test.o.Blank && !m.UnderrunFree {
				t.Error("without underrun protection")
			}
			res, notes := heard(t, d, src, test.o)
			if res.Err != nil || len(notes) != test.notes {
				t.Error(res.Err, notes)
			}
			if !test.o.Simulate {
				equalDisc(t, r, src.image, 0)
			}
		})
	}
}

// A DVD-RAM or BD-RE is written without the drive's verification where that is asked
// for, in whole chunks, and with it where the drive refuses.
func TestStreaming(t *testing.T) {
	for _, m := range []string{"dvd-ram", "bd-re"} {
		for _, refuses := range []bool{false, true} {
			r := blank(t, m, 50000)
			src := sourceFor(t, m, 901)
			streamed, plain := 0, 0
			d := meddled(r, func(c *scsi.Command) (int, error, bool) {
				switch scsi.Opcode(c.CDB[0]) {
				case scsi.OpWrite12:
					if streamed++; len(c.Data) != 64<<10 || c.CDB[10] != 0x80 {
						t.Errorf("% X with %d bytes", c.CDB, len(c.Data))
					}
					return 0, senseError(scsi.IllegalRequest, scsi.ASCInvalidOpcode, 0), refuses
				case scsi.OpWrite10:
					plain++
				}
				return 0, nil, false
			})
			_, res, err := burnOn(t, d, src, Options{Streaming: true})
			if err != nil || res.Err != nil || !res.Verification.OK() {
				t.Fatal(m, err, res.Err, res.Verification)
			}
			equalDisc(t, r, src.image, 0)
			if refuses && streamed != 1 || !refuses && (streamed < 28 || plain > 1) {
				t.Errorf("%s, refused %t: %d streamed, %d not", m, refuses, streamed, plain)
			}
		}
	}
	var refused *Refusal
	if _, _, err := burnOn(t, recorder(blank(t, "dvd+rw", 50000)), sourceFor(t, "dvd+rw", 900), Options{Streaming: true}); !errors.As(err, &refused) {
		t.Error(err)
	}
}

// The speed of writing goes to drives without SET STREAMING by SET CD SPEED, and does
// not stay for reading.
func TestSpeeds(t *testing.T) {
	for _, refuses := range []bool{false, true} {
		var order []scsi.Opcode
		restored := false
		d := meddled(blank(t, "dvd+r", 50000), func(c *scsi.Command) (int, error, bool) {
			switch op := scsi.Opcode(c.CDB[0]); op {
			case scsi.OpSetStreaming:
				restored = c.Data[0]&4 != 0
				order = append(order, op)
				return 0, senseError(scsi.IllegalRequest, scsi.ASCAddressOutOfRange, 0), refuses
			case scsi.OpSetCDSpeed:
				order = append(order, op)
			}
			return 0, nil, false
		})
		if _, res, err := burnOn(t, d, sourceFor(t, "dvd+r", 900), Options{Speed: 4}); err != nil || res.Err != nil {
			t.Fatal(err, res.Err)
		}
		want := []scsi.Opcode{scsi.OpSetStreaming, scsi.OpSetStreaming}
		if refuses {
			want = []scsi.Opcode{scsi.OpSetStreaming, scsi.OpSetCDSpeed, scsi.OpSetStreaming}
		}
		if !slices.Equal(order, want) || !restored {
			t.Errorf("%v, want %v; restored %t", order, want, restored)
		}
	}
}
