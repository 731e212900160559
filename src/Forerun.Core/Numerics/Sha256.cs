using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Forerun.Core.Numerics;

/// <summary>SHA-256 (FIPS 180-4) of bytes that come in pieces, to tell files and texts apart. .NET's own asks the system for OpenSSL,
/// which small devices lack and which takes 6 MB. Not thread-safe.</summary>
public sealed class Sha256
{
    private const int HashBytes = 32;
    private const int BlockBytes = 64;
    private const int LengthBytes = 8;

    // The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
    private static readonly uint[] RoundConstants =
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];

    // The same of the square roots of the first eight.
    private readonly uint[] _state =
        [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

    private readonly byte[] _block = new byte[BlockBytes];
    private readonly uint[] _schedule = new uint[RoundConstants.Length];
    private ulong _length;

    private int InBlock => (int)(_length % BlockBytes);

    /// <summary>The hash of <paramref name="data"/>, <c>[32]</c>.</summary>
    public static byte[] Of(ReadOnlySpan<byte> data)
    {
        var hash = new Sha256();
        hash.Append(data);
        return hash.Finish();
    }

    /// <summary>Adds bytes to what is hashed.</summary>
    public void Append(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            var count = Math.Min(data.Length, BlockBytes - InBlock);
            data[..count].CopyTo(_block.AsSpan(InBlock));
            _length += (uint)count;
            data = data[count..];
            if (InBlock == 0)
            {
                Compress();
            }
        }
    }

    /// <summary>The hash of all that was appended, <c>[32]</c>. Nothing can be appended afterwards.</summary>
    public byte[] Finish()
    {
        Span<byte> bits = stackalloc byte[LengthBytes];
        BinaryPrimitives.WriteUInt64BigEndian(bits, 8 * _length);
        Append([0x80]);
        Append(new byte[(BlockBytes + BlockBytes - LengthBytes - InBlock) % BlockBytes]);
        Append(bits);
        var hash = new byte[HashBytes];
        for (var i = 0; i < _state.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(hash.AsSpan(i * sizeof(uint)), _state[i]);
        }

        return hash;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Compress()
    {
        var w = _schedule;
        for (var t = 0; t < w.Length; t++)
        {
            w[t] = t < 16
                ? BinaryPrimitives.ReadUInt32BigEndian(_block.AsSpan(t * sizeof(uint)))
                : SmallSigma(w[t - 2], 17, 19, 10) + w[t - 7] + SmallSigma(w[t - 15], 7, 18, 3) + w[t - 16];
        }

        var (a, b, c, d) = (_state[0], _state[1], _state[2], _state[3]);
        var (e, f, g, h) = (_state[4], _state[5], _state[6], _state[7]);
        for (var t = 0; t < w.Length; t++)
        {
            var first = h + BigSigma(e, 6, 11, 25) + ((e & f) ^ (~e & g)) + RoundConstants[t] + w[t];
            var second = BigSigma(a, 2, 13, 22) + ((a & b) ^ (a & c) ^ (b & c));
            (h, g, f, e, d, c, b, a) = (g, f, e, d + first, c, b, a, first + second);
        }

        Add(0, a, b, c, d);
        Add(4, e, f, g, h);
    }

    private void Add(int start, uint a, uint b, uint c, uint d)
    {
        _state[start] += a;
        _state[start + 1] += b;
        _state[start + 2] += c;
        _state[start + 3] += d;
    }

    private static uint BigSigma(uint x, int a, int b, int c) =>
        BitOperations.RotateRight(x, a) ^ BitOperations.RotateRight(x, b) ^ BitOperations.RotateRight(x, c);

    private static uint SmallSigma(uint x, int a, int b, int shift) =>
        BitOperations.RotateRight(x, a) ^ BitOperations.RotateRight(x, b) ^ (x >> shift);
}
