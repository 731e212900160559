using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Forerun.Core.Numerics;

namespace Forerun.Core.Sampling;

/// <summary>The noise that makes sampling a function: gumbel(seed, position, token), the same bits on every machine.
/// Pure; thread-safe.</summary>
/// <remarks>Adding independent standard Gumbel noise to the logits and taking the largest draws a token from their
/// softmax; edge and target agree often because they add the same noise (Gumbel coupling, Daliri et al. 2024,
/// arXiv 2408.07978). Seed and position are mixed by the finaliser of SplitMix64 (Steele et al. 2014, with Stafford's
/// "Mix13" constants) into a key of 64 bits; key and token by two rounds of the 32-bit finaliser "lowbias32" (Chris
/// Wellons, hash-prospector). The upper 23 bits k give u = (k + ½)·2^-23, and the noise is -log(-log u). It lies
/// between <see cref="Smallest"/> and <see cref="Largest"/>: a token less probable than about 4e-9 of the most probable
/// one is never drawn.</remarks>
public static class SharedNoise
{
    /// <summary>No noise is smaller: -log(24 log 2), rounded down.</summary>
    public const float Smallest = -2.8116f;

    /// <summary>No noise is larger: 24 log 2, rounded up.</summary>
    public const float Largest = 16.6356f;

    /// <summary>The noise of one token.</summary>
    /// <param name="seed">The generation's seed.</param>
    /// <param name="position">Absolute position of the token to choose.</param>
    /// <param name="token">Token id.</param>
    public static float Gumbel(ulong seed, int position, int token)
    {
        var key = Key(seed, position);
        var mixed = Mix(Mix((uint)token + (uint)key) ^ (uint)(key >> 32));
        var uniform = ((mixed >> 9) + 0.5f) * (1f / (1 << 23));
        return 0f - DeterministicMath.Log(0f - DeterministicMath.Log(uniform));
    }

    /// <summary>The noise of each of <paramref name="tokens"/>: <c>[n]</c> → <paramref name="destination"/>
    /// <c>[n]</c>, with the bits of <see cref="Gumbel(ulong, int, int)"/>.</summary>
    /// <param name="seed">The generation's seed.</param>
    /// <param name="position">Absolute position of the token to choose.</param>
    /// <param name="tokens">Token ids, <c>[n]</c>.</param>
    /// <param name="destination">Overwritten, <c>[n]</c>.</param>
    /// <exception cref="ArgumentException"><paramref name="destination"/> has another length.</exception>
    public static void Gumbel(ulong seed, int position, ReadOnlySpan<int> tokens, Span<float> destination)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            Gumbel<Lanes512>(seed, position, tokens, destination);
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            Gumbel<Lanes256>(seed, position, tokens, destination);
        }
        else
        {
            Gumbel<Lanes128>(seed, position, tokens, destination);
        }
    }

    internal static void Gumbel<TLanes>(ulong seed, int position, ReadOnlySpan<int> tokens, Span<float> destination)
        where TLanes : struct, ILanes<TLanes>
    {
        if (destination.Length != tokens.Length)
        {
            throw new ArgumentException(
                $"The destination must be as long as the tokens: needed [{tokens.Length}], got [{destination.Length}].",
                nameof(destination));
        }

        var whole = tokens.Length & ~15;
        Uniform(Key(seed, position), tokens[..whole], destination);
        var zero = TLanes.Create(0f);
        ref var first = ref MemoryMarshal.GetReference(destination);
        for (var i = 0; i < whole; i += 16)
        {
            ref var lanes = ref Unsafe.Add(ref first, i);
            var exponential = zero - LaneMath.Log(TLanes.Load(in lanes));
            TLanes.Store(zero - LaneMath.Log(exponential), ref lanes);
        }

        for (var i = whole; i < tokens.Length; i++)
        {
            destination[i] = Gumbel(seed, position, tokens[i]);
        }
    }

    /// <summary>A uniform number in (0, 1) for the decision on a draft token, independent of all noise of the same seed.
    /// </summary>
    /// <param name="seed">The generation's seed.</param>
    /// <param name="position">Absolute position of the draft token.</param>
    public static double Uniform(ulong seed, int position) =>
        ((uint)(Key(Derive(seed, 1), position) >> 32) + 0.5) * (1.0 / (1L << 32));

    /// <summary>The seed of the noise that a rejected draft token's successor is drawn with: independent of the noise of the
    /// generation's own seed, with which the draft token may have been drawn.</summary>
    /// <param name="seed">The generation's seed.</param>
    public static ulong ResidualSeed(ulong seed) => Derive(seed, 2);

    private static ulong Derive(ulong seed, ulong purpose) => Mix(Mix(seed + purpose) + purpose);

    private static void Uniform(ulong key, ReadOnlySpan<int> tokens, Span<float> destination)
    {
        var low = new Vector<uint>((uint)key);
        var high = new Vector<uint>((uint)(key >> 32));
        for (var i = 0; i < tokens.Length; i += Vector<uint>.Count)
        {
            var token = new Vector<int>(tokens[i..]).As<int, uint>();
            var mixed = Mix(Mix(token + low) ^ high);
            var uniform = Vector.ConvertToSingle((mixed >>> 9).As<uint, int>()) + new Vector<float>(0.5f);
            (uniform * new Vector<float>(1f / (1 << 23))).CopyTo(destination[i..]);
        }
    }

    private static ulong Key(ulong seed, int position)
    {
        const ulong Golden = 0x9E3779B97F4A7C15;
        return Mix(Mix(seed + Golden) + (Golden * (uint)position));
    }

    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }

    private static uint Mix(uint x)
    {
        x = (x ^ (x >> 16)) * 0x7FEB352D;
        x = (x ^ (x >> 15)) * 0x846CA68B;
        return x ^ (x >> 16);
    }

    private static Vector<uint> Mix(Vector<uint> x)
    {
        x = (x ^ (x >>> 16)) * new Vector<uint>(0x7FEB352D);
        x = (x ^ (x >>> 15)) * new Vector<uint>(0x846CA68B);
        return x ^ (x >>> 16);
    }
}
