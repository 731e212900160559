using System.Security.Cryptography;
using System.Text;
using CsCheck;
using Forerun.Core.Numerics;

namespace Forerun.UnitTests.Numerics;

public class Sha256Tests
{
    // FIPS 180-2, appendix B, and the hash of nothing.
    [Theory]
    [InlineData("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData(
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")]
    public void Of_PublishedExample_IsItsHash(string text, string expected) =>
        Assert.Equal(expected, Convert.ToHexStringLower(Sha256.Of(Encoding.ASCII.GetBytes(text))));

    [Fact]
    public void Append_AnyPieces_IsTheSystemsHash() => Gen.Byte.Array[0, 200].Array[0, 5].Sample(
        pieces =>
        {
            var hash = new Sha256();
            foreach (var piece in pieces)
            {
                hash.Append(piece);
            }

            return hash.Finish().SequenceEqual(SHA256.HashData([.. pieces.SelectMany(piece => piece)]));
        },
        iter: 3_000);

    [Fact]
    public void Of_EveryLengthAroundBlocks_IsTheSystemsHash()
    {
        var data = Enumerable.Range(0, 300).Select(i => (byte)(i * 7)).ToArray();
        for (var length = 0; length <= data.Length; length++)
        {
            Assert.Equal(SHA256.HashData(data.AsSpan(0, length)), Sha256.Of(data.AsSpan(0, length)));
        }
    }
}
